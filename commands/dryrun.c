/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "commands/dryrun.h"
#include "kernel/filter.h"
#include "lib/parse.h"

/* Where each line goes, and what it begins with. */
struct script {
	FILE *out;
	const char *netns;
};

/* A word for a shell. */
static void put_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:=,";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	putc('\'', out);
}

/* Begin a line, in the namespace. */
static FILE *begin(const struct script *script, const char *command)
{
	unsigned long pid;

	if (parse_number(&pid, script->netns, 1, 1UL << 22)) {
		fprintf(script->out, "nsenter --net=/proc/%lu/ns/net ", pid);
	} else if (*script->netns) {
		fputs(strchr(script->netns, '/') ? "nsenter --net=" : "ip netns exec ",
		      script->out);
		put_word(script->out, script->netns);
		putc(' ', script->out);
	}
	fputs(command, script->out);
	return script->out;
}

/* @command, with a blank behind it, the device's name and what comes then. */
static FILE *begin_with(const struct script *script, const char *command, const struct nic *nic,
			const char *rest)
{
	FILE *out = begin(script, command);

	put_word(out, nic->name);
	fputs(rest, out);
	return out;
}

static void print_tap(const struct script *script, const struct nic *nic)
{
	uint32_t mtu = nic->want->mtu ? nic->want->mtu : nic->parent.mtu;
	char mac[MAC_STRLEN];
	FILE *out = begin_with(script, "ip tuntap add dev ", nic, " mode tap");

	if (nic->owner != (uid_t)-1)
		fprintf(out, " user %u", nic->owner);
	if (nic->group != (gid_t)-1)
		fprintf(out, " group %u", nic->group);
	fprintf(out, "%s%s\n", nic->want->queues > 1 ? " multi_queue" : "",
		nic->want->no_vnet_hdr ? "" : " vnet_hdr");
	out = begin_with(script, "ip link set dev ", nic, " address ");
	fputs(mac_format(mac, nic->host), out);
	if (mtu)
		fprintf(out, " mtu %u", mtu);
	if (nic->want->kind != NIC_UNATTACHED)
		fputs(" addrgenmode none", out);
	if (nic->want->kind == NIC_BRIDGED) {
		fputs(" master ", out);
		put_word(out, nic->parent.name);
	}
	putc('\n', out);
}

static void print_vlans(const struct script *script, const struct nic *nic)
{
	const struct port_policy *policy = &nic->want->policy;
	unsigned default_pvid = nic->parent.bridge.default_pvid;
	bool keep_default = !policy->vlan_count || !default_pvid;

	for (unsigned i = 0; i < policy->vlan_count; i++) {
		fprintf(begin_with(script, "bridge vlan add dev ", nic, " vid "), "%u%s\n",
			policy->vlans[i], i ? "" : " pvid untagged");
		keep_default |= policy->vlans[i] == default_pvid;
	}
	if (!keep_default)
		fprintf(begin_with(script, "bridge vlan del dev ", nic, " vid "), "%u\n",
			default_pvid);
}

static void print_port(const struct script *script, const struct nic *nic)
{
	const struct port_policy *policy = &nic->want->policy;
	char mac[MAC_STRLEN];

	if (policy->locked || policy->isolated || policy->hairpin)
		fprintf(begin_with(script, "bridge link set dev ", nic, ""), "%s%s%s\n",
			policy->locked ? " locked on learning off" : "",
			policy->isolated ? " isolated on" : "",
			policy->hairpin ? " hairpin on" : "");
	print_vlans(script, nic);
	if (policy->locked)
		fprintf(begin(script, "bridge fdb replace "), "%s dev %s master static\n",
			mac_format(mac, nic->guest), nic->name);
}

static void print_addresses(const struct script *script, const struct nic *nic)
{
	const struct ip_addresses *addresses = &nic->want->addresses;
	char text[IP_STRLEN];

	for (unsigned i = 0; i < addresses->count; i++) {
		fprintf(begin(script, "ip address add "), "%s dev ",
			ip_format(text, &addresses->list[i]));
		put_word(script->out, nic->name);
		fputs(strchr(text, ':') ? " nodad\n" : "\n", script->out);
	}
}

static void print_macvtap(const struct script *script, const struct nic *nic)
{
	bool host = nic->want->kind == NIC_HOST;
	FILE *out = begin(script, "ip link add link ");
	char mac[MAC_STRLEN];

	put_word(out, nic->parent.name);
	fputs(" name ", out);
	put_word(out, nic->name);
	fprintf(out, " address %s", mac_format(mac, nic->host));
	if (nic->want->mtu)
		fprintf(out, " mtu %u", nic->want->mtu);
	fprintf(out, " type %s mode %s\n", host ? "macvlan" : "macvtap",
		macvtap_mode_name(nic->want->mode));
	if (!host)
		fputs("\n", begin_with(script, "ip link set dev ", nic,
				       " addrgenmode none allmulticast on"));
}

/* The node is the device's only where no other namespace has one of the same index. */
static void print_node(const struct script *script, const struct nic *nic)
{
	bool grouped = nic->group != (gid_t)-1;
	FILE *out = script->out;

	if (nic->want->kind != NIC_MACVTAP || nic->record.by != RECORD_BY_ADD)
		return;
	begin(script, "sh -c 'chown ");
	if (nic->owner != (uid_t)-1)
		fprintf(out, "%u", nic->owner);
	if (grouped)
		fprintf(out, ":%u", nic->group);
	fprintf(out, " /dev/tap$(ip -o link show dev %s | cut -d: -f1)'\n", nic->name);
	fprintf(begin(script, "sh -c 'chmod "),
		"%s /dev/tap$(ip -o link show dev %s | cut -d: -f1)'\n", grouped ? "660" : "600",
		nic->name);
}

static void print_filter(const struct script *script, const struct nic *nic)
{
	FILE *out = begin_with(script, "tc filter add dev ", nic,
			       nic_is_tap(nic) ? " ingress" : " egress");
	struct program program;

	filter_write(&program, nic->guest, &nic->want->traffic.ip);
	fprintf(out, " protocol all pref %d handle 1 bpf da bytecode '%u,", FILTER_PREFERENCE,
		program.count);
	for (unsigned i = 0; i < program.count; i++)
		fprintf(out, "%u %u %u %u,", program.ops[i].code, program.ops[i].jt,
			program.ops[i].jf, program.ops[i].k);
	fputs("'\n", out);
}

static void print_rate(FILE *out, const struct rate *rate)
{
	/* tc's bps are bytes. */
	fprintf(out, " rate %llubps burst %u", (unsigned long long)rate->bytes, rate_burst(rate));
}

static void print_traffic(const struct script *script, const struct nic *nic)
{
	const struct traffic *traffic = &nic->want->traffic;
	const struct rate *shaped = nic_is_tap(nic) ? &traffic->in : &traffic->out;
	const struct rate *policed = nic_is_tap(nic) ? &traffic->out : &traffic->in;
	FILE *out = begin_with(script, "tc qdisc replace dev ", nic,
			       shaped->bytes ? " root tbf" : " root noqueue");

	if (shaped->bytes) {
		print_rate(out, shaped);
		fprintf(out, " limit %u", traffic_queue_limit(shaped));
	}
	putc('\n', out);
	if (traffic->ip.count || policed->bytes)
		fputs("\n", begin_with(script, "tc qdisc add dev ", nic, " clsact"));
	if (traffic->ip.count)
		print_filter(script, nic);
	if (!policed->bytes)
		return;
	begin_with(script, "tc filter add dev ", nic, " ingress protocol all");
	fprintf(out, " pref %d handle 1 bpf bytecode '1,6 0 0 4294967295,' action police",
		POLICE_PREFERENCE);
	print_rate(out, policed);
	fprintf(out, " mtu %d conform-exceed drop\n", BURST_LEAST);
}

static void print_ovs_port(const struct script *script, const struct nic *nic)
{
	const struct port_policy *policy = &nic->want->policy;
	FILE *out = begin(script, "ovs-vsctl add-port ");
	char mac[MAC_STRLEN];

	put_word(out, nic->want->parent);
	putc(' ', out);
	put_word(out, nic->name);
	for (unsigned i = 0; i < policy->vlan_count; i++)
		fprintf(out, i == 0 ? " tag=%u" : i == 1 ? " trunks=%u" : ",%u", policy->vlans[i]);
	fputs(policy->vlan_count > 1 ? " vlan_mode=native-untagged" : "", out);
	fputs(" other_config:transient=true -- set Interface ", out);
	put_word(out, nic->name);
	fprintf(out, " 'external_ids:attached-mac=\"%s\"' external_ids:iface-status=active",
		mac_format(mac, nic->guest));
	if (nic->want->iface_id[0]) {
		fputs(" external_ids:iface-id=", out);
		put_word(out, nic->want->iface_id);
	}
	putc('\n', out);
}

static void print_nic(const struct script *script, const struct nic *nic)
{
	if (nic_is_tap(nic))
		print_tap(script, nic);
	else
		print_macvtap(script, nic);
	if (nic->want->kind == NIC_BRIDGED)
		print_port(script, nic);
	print_addresses(script, nic);
	print_traffic(script, nic);
	begin_with(script, "ip link set dev ", nic, " alias ");
	put_word(script->out, nic->alias);
	putc('\n', script->out);
	fputs("\n", begin_with(script, "ip link set dev ", nic, " up"));
	print_node(script, nic);
	if (nic->want->kind == NIC_OVS)
		print_ovs_port(script, nic);
}

void dry_run_print(FILE *out, const struct nicset *set, const char *netns)
{
	const struct script script = { .out = out, .netns = netns };

	for (size_t k = 0; k < set->count; k++)
		if (!set->nics[k].reused)
			print_nic(&script, &set->nics[k]);
}
