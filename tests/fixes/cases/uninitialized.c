#include <stdlib.h>

int use(char *text);

int f(int n)
{
	char *p;
	int err = -1;

	if (n < 0)
		goto out;
	p = malloc(10);
	if (p)
		err = use(p);
out:
	free(p);
	return err;
}
