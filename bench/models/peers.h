/* What can be told gcc -fanalyzer and the Clang static analyzer of libnl: given to them with -include.
 *
 * No attribute of either says "*buf is the caller's when the result is positive", so nl_recv() gets a body, which both
 * inline. What returns its resource has attributes. A caller sees nothing of this file but what it says of these
 * functions.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <sys/socket.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

extern int model_decides(void);

static __attribute__((unused)) int model_nl_recv(struct nl_sock *sk, struct sockaddr_nl *nla, unsigned char **buf,
                                                 struct ucred **creds)
{
    int n = model_decides();
    unsigned char *datagram = n > 0 ? malloc(16384) : NULL;

    (void)sk, (void)nla;
    if (creds)
        *creds = NULL;
    if (!datagram)
        return n > 0 ? -5 : n;
    *buf = datagram;
    if (creds && model_decides())
        *creds = malloc(sizeof(struct ucred));
    return n;
}
#define nl_recv model_nl_recv

#ifdef __clang__
#define GIVES(kind, release) __attribute__((ownership_returns(kind)))
#define TAKES(kind) __attribute__((ownership_takes(kind, 1)))
#else
#define GIVES(kind, release) __attribute__((malloc(release, 1)))
#define TAKES(kind)
#endif
extern void nl_socket_free(struct nl_sock *) TAKES(nl_socket);
extern struct nl_sock *nl_socket_alloc(void) GIVES(nl_socket, nl_socket_free);
extern void nlmsg_free(struct nl_msg *) TAKES(nl_msg);
extern struct nl_msg *nlmsg_alloc(void) GIVES(nl_msg, nlmsg_free);
extern struct nl_msg *nlmsg_alloc_simple(int, int) GIVES(nl_msg, nlmsg_free);
