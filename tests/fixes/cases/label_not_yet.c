#include <stdio.h>
#include <stdlib.h>

int parse(const char *text);

int load(const char *name, int n)
{
	char *text;
	FILE *file;
	int err;

	text = malloc(n);
	if (!text)
		return -1;
	if (n > 5)
		return -2;
	file = fopen(name, "r");
	if (!file) {
		err = -3;
		goto no_file;
	}
	err = parse(text);
	if (err)
		return -4;
	fclose(file);
no_file:
	free(text);
	return err;
}
