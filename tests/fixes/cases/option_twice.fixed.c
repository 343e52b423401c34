#include <stdlib.h>
#include <string.h>
#include <stdio.h>

int main_loop(int argc, char **argv)
{
	char *name = NULL, *other;
	int i;

	other = NULL;
	for (i = 0; i < argc; i++) {
		if (argv[i][0] == 'n') {
			free(name);
			name = strdup(argv[i]);
		} else if (argv[i][0] == 'o') {
			free(other);
			other = strdup(argv[i]);
		}
	}
	if (name)
		puts(name);
	free(other);
	free(name);
	return 0;
}
