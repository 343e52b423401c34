#include <stdlib.h>

int use(const char *text);

int f(int n)
{
	char *p = malloc(10);

	if (!p)
		return -1;
	if (n)
		free(p);
	else
		use(p);
	free(p);
	return 0;
}
