#include <stdlib.h>
#include <string.h>
#include <netlink/netlink.h>

int use(const unsigned char *text, int n);

void receive(struct nl_sock *sk)
{
	struct sockaddr_nl peer;
	unsigned char *buf = NULL;
	int n;

	while ((n = nl_recv(sk, &peer, &buf, NULL)) > 0) {
		if (peer.nl_pid != 0)
			continue;
		use(buf, n);
	}
}
