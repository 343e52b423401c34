#include <stdlib.h>

int fill(char *text, int n);

int grow(int n)
{
	char *p = malloc(n);
	void *tmp;

	if (!p)
		return -1;
	tmp = realloc(p, 2 * n);
	if (!tmp) {
		free(p);
		return -2;
	}
	p = tmp;
	fill(p, 2 * n);
	free(p);
	return 0;
}

struct list {
	int *items;
	int room;
};

int reserve(struct list *list, int room)
{
	void *tmp;

	if (!(tmp = (int *)realloc(list->items, room * sizeof(int))))
		return -1;
	list->items = tmp;
	list->room = room;
	return 0;
}
