#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conn {
	char *name;
	int fd;
};

int pick(int n);

int g(const char *text, int n)
{
	struct conn c;
	int ends[2];

	c.name = strdup(text);
	if (n > 2)
		return -1;
	free(c.name);
	if (pipe(ends) < 0)
		return -2;
	if (pick(n))
		return -3;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

void end_of_function(const char *text)
{
	char *copy = strdup(text);

	if (copy)
		copy[0] = 0;
}
