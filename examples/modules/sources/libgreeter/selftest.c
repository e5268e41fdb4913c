#include "greeter.h"

#include <stdio.h>
#include <string.h>

static int expect(const char *language, const char *key, const char *text)
{
    const char *found = greeter_phrase(language, key);

    if (found != NULL && strcmp(found, text) == 0)
        return 0;
    fprintf(stderr, "%s/%s: expected \"%s\", found \"%s\"\n", language, key, text,
            found != NULL ? found : "nothing");
    return 1;
}

int main(void)
{
    int failures = 0;

    failures += expect("en", "morning", "Good morning");
    failures += expect("de", "evening", "Guten Abend");
    failures += expect("cs", "farewell", "Na shledanou");
    if (greeter_phrase("en", "lunch") != NULL) {
        fprintf(stderr, "en/lunch: expected nothing\n");
        failures++;
    }
    return failures == 0 ? 0 : 1;
}
