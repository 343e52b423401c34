#include <fcntl.h>

int msg_put_u32(void *msg, int what, int value);

int attach(void *msg, const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		return -1;
	return msg_put_u32(msg, 3, fd);
}
