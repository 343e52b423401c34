#include <stdlib.h>
#include <string.h>

int pick(int n);
void use(const char *text);

int f(const char *name, int n)
{
	char *copy = NULL;
	int i;

	for (i = 0; i < n; i++) {
		if (!pick(i))
			goto out;
		copy = strdup(name);
		if (!copy)
			return -1;
		if (pick(i + n))
			goto out;
		use(copy);
		free(copy);
		copy = NULL;
	}
out:
	free(copy);
	return n;
}
