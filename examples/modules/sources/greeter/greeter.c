/* greeter: says a phrase to somebody.
 *
 *     greeter [LANGUAGE [KEY [NAME]]]
 *
 * Without arguments: a good morning in English to everybody. */

#include <greeter.h>
#include <stdio.h>

#ifndef GREETER_AUDIENCE
#define GREETER_AUDIENCE "world"
#endif

int main(int argc, char **argv)
{
    const char *language = argc > 1 ? argv[1] : "en";
    const char *key = argc > 2 ? argv[2] : "morning";
    const char *name = argc > 3 ? argv[3] : GREETER_AUDIENCE;
    const char *text = greeter_phrase(language, key);

    if (text == NULL) {
        fprintf(stderr, "greeter: no phrase \"%s\" in language \"%s\"\n", key, language);
        return 1;
    }
    printf("%s, %s!\n", text, name);
    return 0;
}
