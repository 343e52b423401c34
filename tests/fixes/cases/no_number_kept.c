#include <fcntl.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

int attach(struct nl_msg *msg, const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		return -1;
	return nla_put_u32(msg, 3, fd);
}
