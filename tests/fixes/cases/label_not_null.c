#include <dirent.h>
#include <stdlib.h>

int pick(int n);
int use(DIR *dir, const char *text);

int f(const char *name, int n)
{
	DIR *dir = NULL;
	char *text = malloc(n);
	int err;

	if (!text)
		return -1;
	if (pick(n))
		return -2;
	dir = opendir(name);
	if (!dir) {
		free(text);
		return -3;
	}
	err = use(dir, text);
	if (err)
		goto out;
	err = pick(err);
out:
	closedir(dir);
	free(text);
	return err;
}
