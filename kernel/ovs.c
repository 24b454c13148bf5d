/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/ovs.h"
#include "kernel/ovsdb.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/report.h"

#define PATIENCE 5 /* seconds that ovs-vswitchd has for a port */
#define COMMENT ",{'op':'comment','comment':'tapctl'}"

struct ovs {
	struct ovsdb db;
	int next, current; /* what ovs-vswitchd has to do and has done, as read last */
};

int ovs_open(struct ovs **ovs)
{
	struct ovs *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return report_error(-ENOMEM, "out of memory");
	err = ovsdb_open(&new->db);
	if (err)
		free(new);
	else
		*ovs = new;
	return err;
}

void ovs_close(struct ovs *ovs)
{
	if (ovs)
		ovsdb_close(&ovs->db);
	free(ovs);
}

/* --- read --- */

static void copy_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}

static const char *const of_host[] = { "next_cfg", "cur_cfg", "external_ids", NULL };
static const char *const of_bridge[] = { "name", "ports", NULL };
static const char *const of_port[] = { "name", "_uuid", "external_ids", "tag", "trunks", NULL };
static const char *const of_interface[] = { "name",    "external_ids", "ofport",
					    "ifindex", "error",	       NULL };

/* An operation that reads @columns of a @table, whole ("") or where the name is @name. */
static void put_select(FILE *out, const char *table, const char *name, const char *const columns[])
{
	json_format(out, ",{'op':'select','table':%s,'where':[", table);
	if (name[0])
		json_format(out, "['name','==',%s]", name);
	json_format(out, "],'columns':[");
	for (size_t i = 0; columns[i]; i++)
		json_format(out, i ? ",%s" : "%s", columns[i]);
	json_format(out, "]}");
}

/* Of the rows of Bridge, the one that has the port. */
static void read_bridge(const struct ovsdb *db, size_t bridges, struct ovs_port *port)
{
	const json_t *bridge, *uuid;

	for (size_t i = 0; (bridge = ovsdb_row(db, bridges, i)); i++) {
		for (size_t k = 0; (uuid = ovsdb_element(db, bridge, "ports", k)); k++) {
			const char *text = ovsdb_uuid(db, uuid);

			if (text && strcmp(text, port->uuid) == 0)
				copy_text(port->bridge, sizeof(port->bridge),
					  ovsdb_text(db, bridge, "name"));
		}
	}
}

static void read_port(const struct ovsdb *db, const json_t *row, struct ovs_port *port)
{
	const json_t *trunk;

	*port = (struct ovs_port){ .vlan_count = 0 };
	copy_text(port->name, sizeof(port->name), ovsdb_text(db, row, "name"));
	copy_text(port->uuid, sizeof(port->uuid),
		  ovsdb_uuid(db, db->json.object_get(row, "_uuid")));
	copy_text(port->nonce, sizeof(port->nonce),
		  ovsdb_map_text(db, row, "external_ids", OVS_KEY));
	port->vlans[0] = (uint16_t)ovsdb_number(db, row, "tag");
	port->vlan_count = port->vlans[0] || ovsdb_element(db, row, "trunks", 0);
	for (size_t i = 0; port->vlan_count < OVS_VLANS; i++) {
		trunk = ovsdb_element(db, row, "trunks", i);
		if (!trunk)
			break;
		port->vlans[port->vlan_count++] = (uint16_t)db->json.integer_value(trunk);
	}
}

/* Of the rows of Interface: a port of tapctl's has one, of its own name. */
static void read_interface(const struct ovsdb *db, size_t interfaces, struct ovs_port *port)
{
	const json_t *row;

	for (size_t i = 0; (row = ovsdb_row(db, interfaces, i)); i++) {
		const char *name = ovsdb_text(db, row, "name");

		if (!name || strcmp(name, port->name) != 0)
			continue;
		copy_text(port->iface_id, sizeof(port->iface_id),
			  ovsdb_map_text(db, row, "external_ids", "iface-id"));
		port->installed = ovsdb_map_text(db, row, "external_ids", "ovn-installed");
		port->ofport = ovsdb_number(db, row, "ofport");
		port->ifindex = ovsdb_number(db, row, "ifindex");
		copy_text(port->error, sizeof(port->error), ovsdb_text(db, row, "error"));
	}
}

static int keep_port(struct ovs_ports *ports, const struct ovs_port *port)
{
	struct ovs_port *list = array_grow(ports->list, ports->count, sizeof(*list));

	if (!list)
		return report_error(-ENOMEM, "out of memory");
	ports->list = list;
	ports->list[ports->count++] = *port;
	return 0;
}

static const json_t *read_host(struct ovs *ovs, size_t hosts)
{
	const json_t *row = ovsdb_row(&ovs->db, hosts, 0);

	ovs->next = ovsdb_number(&ovs->db, row, "next_cfg");
	ovs->current = ovsdb_number(&ovs->db, row, "cur_cfg");
	return row;
}

static void read_encap(const struct ovs *ovs, const json_t *row, struct ovs_ports *ports)
{
	const char *type = ovsdb_map_text(&ovs->db, row, "external_ids", "ovn-encap-type");

	if (type && strcmp(type, "geneve") == 0)
		copy_text(ports->encap_ip, sizeof(ports->encap_ip),
			  ovsdb_map_text(&ovs->db, row, "external_ids", "ovn-encap-ip"));
}

int ovs_read_ports(struct ovs *ovs, const char *name, struct ovs_ports *ports)
{
	enum { HOST, BRIDGES, PORTS, INTERFACES };
	struct ovsdb *db = &ovs->db;
	FILE *out = ovsdb_begin(db);
	const json_t *row;
	int err;

	*ports = (struct ovs_ports){ .count = 0 };
	put_select(out, "Open_vSwitch", "", of_host);
	put_select(out, "Bridge", "", of_bridge);
	put_select(out, "Port", name, of_port);
	put_select(out, "Interface", name, of_interface);
	err = ovsdb_commit(db, 0, NULL);
	if (err)
		return err;
	read_encap(ovs, read_host(ovs, HOST), ports);
	for (size_t i = 0; !err && (row = ovsdb_row(db, PORTS, i)); i++) {
		struct ovs_port port;

		read_port(db, row, &port);
		read_bridge(db, BRIDGES, &port);
		read_interface(db, INTERFACES, &port);
		err = keep_port(ports, &port);
	}
	return err;
}

const struct ovs_port *ovs_get_port(const struct ovs_ports *ports, const char *name)
{
	for (size_t i = 0; i < ports->count; i++)
		if (strcmp(ports->list[i].name, name) == 0)
			return &ports->list[i];
	return NULL;
}

int ovs_find_port(struct ovs *ovs, const char *name, struct ovs_port *port)
{
	struct ovs_ports ports;
	int err = ovs_read_ports(ovs, name, &ports);

	if (!err && !ports.count)
		err = -ENOENT;
	if (!err)
		*port = ports.list[0];
	free(ports.list);
	return err;
}

bool ovs_is_stale(const struct ovs_port *port)
{
	return port->nonce[0] && !port->ifindex;
}

int ovs_check_bridge(struct ovs *ovs, const char *bridge)
{
	static const char *const of_name[] = { "name", NULL };
	struct ovsdb *db = &ovs->db;
	char names[200] = "";
	const json_t *row;
	int err;

	put_select(ovsdb_begin(db), "Open_vSwitch", "", of_host);
	put_select(db->out, "Bridge", "", of_name);
	err = ovsdb_commit(db, 0, NULL);
	if (err)
		return err;
	read_host(ovs, 0);
	for (size_t i = 0, len = 0; (row = ovsdb_row(db, 1, i)); i++) {
		const char *name = ovsdb_text(db, row, "name");

		if (name && strcmp(name, bridge) == 0)
			return 0;
		if (name && len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						len ? ", " : "it has ", name);
	}
	return report_failure("no-such-bridge", -ENOENT,
			      "%s: Open vSwitch has no such bridge\n%s%s", bridge,
			      names[0] ? names : "ovs-vsctl add-br ", names[0] ? "" : bridge);
}

/* --- changed --- */

static int refuse_idle(const struct ovs_port *port)
{
	return report_error(-ETIMEDOUT,
			    "%s: ovs-vswitchd did nothing for %s within %d s\nsee whether it "
			    "runs, and what its log says",
			    port->name, port->bridge, PATIENCE);
}

/* Wait until ovs-vswitchd has done what it was told to do, for @port to come. */
static int wait_done(struct ovs *ovs, const struct ovs_port *port)
{
	size_t failed;
	int err;

	json_format(ovsdb_begin(&ovs->db),
		    ",{'op':'wait','table':'Open_vSwitch','where':[['cur_cfg','>=',%d]],"
		    "'columns':['cur_cfg'],'until':'!=','rows':[],'timeout':%d}",
		    ovs->next, PATIENCE * 1000);
	err = ovsdb_commit(&ovs->db, PATIENCE, &failed);
	return err == -EAGAIN ? refuse_idle(port) : err;
}

int ovs_remove_port(struct ovs *ovs, const struct ovs_port *port)
{
	enum { HOST = 3 };
	int err;

	json_format(ovsdb_begin(&ovs->db),
		    ",{'op':'mutate','table':'Bridge','where':[['ports','includes',['uuid',%s]]],"
		    "'mutations':[['ports','delete',['uuid',%s]]]}"
		    ",{'op':'mutate','table':'Open_vSwitch','where':[],"
		    "'mutations':[['next_cfg','+=',1]]}" COMMENT,
		    port->uuid, port->uuid);
	put_select(ovs->db.out, "Open_vSwitch", "", of_host);
	err = ovsdb_commit(&ovs->db, 0, NULL);
	if (!err)
		read_host(ovs, HOST);
	return err;
}

static void put_rows(FILE *out, const struct ovs_port *port, const char *mac)
{
	json_format(out,
		    ",{'op':'insert','table':'Interface','uuid-name':'interface','row':{'name':%s,"
		    "'external_ids':['map',[['attached-mac',%s],['iface-status','active'],"
		    "['" OVS_KEY "',%s]",
		    port->name, mac, port->nonce);
	if (port->iface_id[0])
		json_format(out, ",['iface-id',%s]", port->iface_id);
	json_format(out,
		    "]]}},{'op':'insert','table':'Port','uuid-name':'port','row':{'name':%s,"
		    "'interfaces':['named-uuid','interface'],'external_ids':['map',[['" OVS_KEY
		    "',%s]]],'other_config':['map',[['transient','true']]]",
		    port->name, port->nonce);
	/* One VLAN alone: an access port. */
	if (port->vlan_count)
		json_format(out, ",'tag':%d", port->vlans[0]);
	for (unsigned i = 1; i < port->vlan_count; i++)
		json_format(out, i == 1 ? ",'trunks':['set',[%d" : ",%d", port->vlans[i]);
	json_format(out, port->vlan_count > 1 ? "]],'vlan_mode':'native-untagged'}}" : "}}");
}

/*
 * Begin to make the row, nothing of it or all, and to wait until ovs-vswitchd has taken it or not.
 * next_cfg stays as it is: whoever sees it change would wait for this.
 */
static void begin_port(struct ovs *ovs, const struct ovs_port *port, const char *mac, bool looked)
{
	FILE *out = ovsdb_begin(&ovs->db);

	json_format(out,
		    ",{'op':'wait','table':'Bridge','where':[['name','==',%s]],'columns':['name'],"
		    "'until':'==','rows':[{'name':%s}],'timeout':0}"
		    ",{'op':'wait','table':'Port','where':[['name','==',%s]],'columns':['name'],"
		    "'until':'==','rows':[],'timeout':0}",
		    port->bridge, port->bridge, port->name);
	if (!looked)
		json_format(
			out,
			",{'op':'wait','table':'Open_vSwitch','where':[],'columns':['next_cfg'],"
			"'until':'==','rows':[{'next_cfg':%d}],'timeout':0}",
			ovs->next);
	put_rows(out, port, mac);
	json_format(out,
		    ",{'op':'mutate','table':'Bridge','where':[['name','==',%s]],"
		    "'mutations':[['ports','insert',['named-uuid','port']]]}" COMMENT,
		    port->bridge);
	json_format(ovsdb_begin(&ovs->db),
		    ",{'op':'wait','table':'Interface','where':[['name','==',%s]],'columns':"
		    "['ofport'],'until':'!=','rows':[{'ofport':['set',[]]}],'timeout':%d}",
		    port->name, PATIENCE * 1000);
	put_select(out, "Interface", port->name, of_interface);
}

static int refuse_device(const struct ovs_port *port)
{
	return report_error(-ENXIO,
			    "%s: ovs-vswitchd did not take it for %s: %s\nsee whether it runs in "
			    "this network namespace",
			    port->name, port->bridge,
			    port->error[0]    ? port->error :
			    port->ofport <= 0 ? "it has no port number" :
						"it has another device of that name");
}

/* Its row is there; what ovs-vswitchd says of it was asked for. */
static int check_taken(struct ovs *ovs, struct ovs_port *port)
{
	int ifindex = port->ifindex;
	size_t failed;
	int err = ovsdb_commit(&ovs->db, PATIENCE, &failed);

	if (err == -EAGAIN)
		return refuse_idle(port);
	if (err)
		return err;
	read_interface(&ovs->db, 1, port);
	if (port->error[0] || port->ofport <= 0 || (port->ifindex && port->ifindex != ifindex))
		return refuse_device(port);
	return 0;
}

int ovs_add_port(struct ovs *ovs, struct ovs_port *port, const uint8_t mac[static MAC_LEN],
		 bool looked)
{
	enum { BRIDGE };
	char text[MAC_STRLEN];
	struct ovs_port made;
	size_t failed;
	int err = 0;

	if (ovs->current < ovs->next)
		err = looked ? wait_done(ovs, port) : -EAGAIN;
	if (err)
		return err;
	begin_port(ovs, port, mac_format(text, mac), looked);
	err = ovsdb_commit(&ovs->db, 0, &failed);
	if (err == -EAGAIN && (looked || failed == BRIDGE))
		return report_error(-EBUSY, "%s: Open vSwitch has just %s", port->name,
				    failed == BRIDGE ? "lost that bridge" :
						       "got a port of that name");
	if (err)
		return err;
	err = check_taken(ovs, port);
	if (err && ovs_find_port(ovs, port->name, &made) == 0 &&
	    strcmp(made.nonce, port->nonce) == 0)
		ovs_remove_port(ovs, &made);
	return err;
}

int ovs_wait_installed(struct ovs *ovs, const char *name, int seconds)
{
	size_t failed;
	int err;

	json_format(ovsdb_begin(&ovs->db),
		    ",{'op':'wait','table':'Interface','columns':['name'],'until':'!=','rows':[],"
		    "'where':[['name','==',%s],"
		    "['external_ids','includes',['map',[['ovn-installed','true']]]]],"
		    "'timeout':%d}",
		    name, seconds * 1000);
	err = ovsdb_commit(&ovs->db, seconds, &failed);
	return err == -EAGAIN ? -ETIMEDOUT : err;
}
