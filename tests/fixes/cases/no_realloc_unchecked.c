#include <stdlib.h>

void f(int n)
{
	char *p = malloc(n);

	if (!p)
		return;
	p = realloc(p, 2 * n);
	free(p);
}
