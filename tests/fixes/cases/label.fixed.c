#include <stdio.h>
#include <stdlib.h>

int parse(const char *text);

int load(const char *name, int n)
{
	char *text = NULL;
	FILE *file;
	int err = 0;

	file = fopen(name, "r");
	if (!file)
		return -1;
	text = malloc(n);
	if (!text) {
		err = -2;
		goto out;
	}
	if (!fgets(text, n, file)) {
		err = -3;
		goto out;
	}
	err = parse(text);
	if (err)
		goto out;
out:
	free(text);
	fclose(file);
	return err;
}
