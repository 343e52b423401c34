#include <stdlib.h>
#include <string.h>

int f(const char *name, int n)
{
	char *copy = strdup(name);

	if (n == 1)
		n++;
	else if ((copy = strdup("other")) == NULL)
		return -1;
	free(copy);
	return n;
}
