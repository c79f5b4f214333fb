#include "base/text.h"

#include <limits.h>
#include <stdint.h>

typedef struct {
  char* text;
  size_t used, capacity;
} writer;

static void put(writer* w, char c) {
  if (w->used + 1 < w->capacity) w->text[w->used++] = c;
}

static void put_string(writer* w, const char* string, int max) {
  for (int i = 0; i < max && string[i] != '\0'; i++) put(w, string[i]);
}

static void put_number(writer* w, uint64_t magnitude, int is_negative) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + magnitude % 10);
  while ((magnitude /= 10) > 0);
  if (is_negative) put(w, '-');
  while (count > 0) put(w, digits[--count]);
}

static void put_signed(writer* w, int64_t value) {
  put_number(w, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

size_t ocl_text_format_list(char* text, size_t capacity, const char* format, va_list arguments) {
  writer w = {text, 0, capacity};
  for (const char* at = format; *at != '\0'; at++) {
    if (*at != '%') {
      put(&w, *at);
      continue;
    }
    int max = INT_MAX, longs = 0;
    if (*++at == '.')
      for (max = 0, at++; *at >= '0' && *at <= '9'; at++) max = 10 * max + (*at - '0');
    for (; *at == 'l' || *at == 'z'; at++) longs += *at == 'l' ? 1 : 3;
    switch (*at) {
      case 's': put_string(&w, va_arg(arguments, const char*), max); break;
      case 'd': put_signed(&w, longs == 0 ? va_arg(arguments, int) : va_arg(arguments, long long)); break;
      default:
        put_number(&w,
                   longs == 0   ? va_arg(arguments, unsigned)
                   : longs == 3 ? va_arg(arguments, size_t)
                                : va_arg(arguments, unsigned long long),
                   0);
    }
  }
  text[w.used] = '\0';
  return w.used;
}

size_t ocl_text_format(char* text, size_t capacity, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const size_t used = ocl_text_format_list(text, capacity, format, arguments);
  va_end(arguments);
  return used;
}
