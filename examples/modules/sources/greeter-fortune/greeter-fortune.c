/* greeter-fortune: the phrase of the day.
 *
 *     greeter-fortune DAY
 *
 * The same day brings the same phrase. */

#include <greeter.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    size_t count = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: greeter-fortune DAY\n");
        return 2;
    }
    while (greeter_nth_phrase(count) != NULL)
        count++;
    puts(greeter_nth_phrase(strtoul(argv[1], NULL, 10) % count));
    return 0;
}
