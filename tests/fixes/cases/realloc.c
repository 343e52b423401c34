#include <stdlib.h>

int fill(char *text, int n);

int grow(int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
	p = realloc(p, 2 * n);
	if (!p)
		return -2;
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
	if (!(list->items = (int *)realloc(list->items, room * sizeof(int))))
		return -1;
	list->room = room;
	return 0;
}
