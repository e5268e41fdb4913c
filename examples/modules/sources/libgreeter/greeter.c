#include "greeter.h"

#include <string.h>

struct phrase {
    const char *language;
    const char *key;
    const char *text;
};

#include "phrases.h"

static const size_t phrase_count = sizeof phrases / sizeof phrases[0];

const char *greeter_phrase(const char *language, const char *key)
{
    for (size_t i = 0; i < phrase_count; i++) {
        if (strcmp(phrases[i].language, language) == 0 && strcmp(phrases[i].key, key) == 0)
            return phrases[i].text;
    }
    return NULL;
}

const char *greeter_nth_phrase(size_t n)
{
    return n < phrase_count ? phrases[n].text : NULL;
}
