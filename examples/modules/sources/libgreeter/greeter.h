/* libgreeter: greetings in several languages. */

#ifndef GREETER_H
#define GREETER_H

#include <stddef.h>

/* The phrase of that key ("morning", "evening", "farewell") in that language
 * ("en", "de", "cs"), or NULL if there is none. */
const char *greeter_phrase(const char *language, const char *key);

/* The n-th phrase of the table in any language, or NULL past its end. */
const char *greeter_nth_phrase(size_t n);

#endif
