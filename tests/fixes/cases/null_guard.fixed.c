#include <stdio.h>

int pick(int n);
int use(FILE *file);

int f(const char *name, int n)
{
	FILE *file = NULL;

	if (n > 2)
		file = fopen(name, "r");
	if (pick(n)) {
		if (file)
			fclose(file);
		return -1;
	}
	if (file) {
		use(file);
		fclose(file);
	}
	return 0;
}
