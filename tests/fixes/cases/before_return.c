#include <stdlib.h>
#include <stdio.h>

int use(const char *text);

int f(int n, const char *name)
{
	char *p = malloc(n);
	FILE *file;

	if (!p)
		return -1;
	if (n > 3)	/* too much */
		return -2; /* give up */
	file = fopen(name, "r");
	if (file == NULL)
	{
		free(p);
		return -3;
	}
	if (n == 2) return -4;
	else if (n == 1)
		return -5;
	else
		use(p);
	switch (n) {
	case 0:
		return -6;
	default: return -7;
	}
	free(p);
	return 0;
}
