/* SPDX-License-Identifier: MIT */
/* Answers of a database to the one question about all ports of Open vSwitch. */
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kernel/ovs.h"
#include "lib/report.h"
#include "tests/fuzz/fuzz.h"

static char dir[] = "/tmp/fuzz-ovs.XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void clean(void)
{
	unlink(address.sun_path);
	rmdir(dir);
}

/* Where tapctl looks for the database. */
static int listen_once(void)
{
	static int listener = -1;

	if (listener >= 0)
		return listener;
	always(mkdtemp(dir), "there is a directory");
	setenv("OVS_RUNDIR", dir, 1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/db.sock", dir);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	always(bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		       listen(listener, 1) == 0,
	       "a socket listens");
	atexit(clean);
	return listener;
}

static void check_port(const struct ovs_port *port)
{
	always(strnlen(port->name, sizeof(port->name)) < sizeof(port->name) &&
		       strnlen(port->bridge, sizeof(port->bridge)) < sizeof(port->bridge) &&
		       strnlen(port->iface_id, sizeof(port->iface_id)) < sizeof(port->iface_id) &&
		       strnlen(port->error, sizeof(port->error)) < sizeof(port->error),
	       "a text ends");
	always(port->vlan_count <= OVS_VLANS, "there are not too many VLANs");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int listener = listen_once(), server;
	struct ovs_ports ports;
	struct ovs *ovs;

	if (size > 65536)
		return -1;
	always(ovs_open(&ovs) == 0, "it is connected");
	server = accept(listener, NULL, NULL);
	always(write(server, data, size) == (ssize_t)size,
	       "the answer is there before the question");
	shutdown(server, SHUT_WR);
	report_forget();
	if (ovs_read_ports(ovs, "", &ports) < 0)
		always(report_line()[0], "a failure has its line");
	for (size_t i = 0; i < ports.count; i++)
		check_port(&ports.list[i]);
	free(ports.list);
	ovs_close(ovs);
	close(server);
	return 0;
}
