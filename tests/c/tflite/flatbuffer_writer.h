// A minimal FlatBuffer writer for tests: parents first, so every offset points forward. Each field of a table has an
// 8-byte slot of its own, and stays absent until it is set. Positions are what the functions return; tests may poke
// w->bytes afterwards to break things on purpose.
#ifndef OCELLI_TESTS_FLATBUFFER_WRITER_H_
#define OCELLI_TESTS_FLATBUFFER_WRITER_H_

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef W_CAPACITY
#define W_CAPACITY 16384
#endif

typedef struct {
  uint8_t bytes[W_CAPACITY];
  uint32_t size_bytes;
} writer;

static uint32_t w_reserve(writer* w, uint32_t size_bytes, uint32_t alignment, uint32_t remainder) {
  while (w->size_bytes % alignment != remainder) w->size_bytes++;
  const uint32_t position = w->size_bytes;
  w->size_bytes += size_bytes;
  if (w->size_bytes > sizeof w->bytes) abort();
  return position;
}

static void w_poke(writer* w, uint32_t position, const void* value, uint32_t size_bytes) {
  memcpy(w->bytes + position, value, size_bytes);
}

static void w_poke_u16(writer* w, uint32_t position, uint32_t value) {
  const uint16_t narrow = (uint16_t)value;
  w_poke(w, position, &narrow, 2);
}

static void w_link(writer* w, uint32_t position, uint32_t target) {
  const uint32_t offset = target - position;
  w_poke(w, position, &offset, 4);
}

static void w_start(writer* w, const char* identifier) {
  memset(w, 0, sizeof *w);
  w_reserve(w, 8, 1, 0);
  w_poke(w, 4, identifier, 4);
}

static uint32_t w_table(writer* w, uint32_t num_fields) {
  const uint32_t vtable = w_reserve(w, 4 + 2 * num_fields, 2, 0);
  const uint32_t table = w_reserve(w, 4 + 8 * num_fields, 8, 4);
  w_poke_u16(w, vtable, 4 + 2 * num_fields);
  w_poke_u16(w, vtable + 2, 4 + 8 * num_fields);
  const uint32_t back = table - vtable;
  w_poke(w, table, &back, 4);
  return table;
}

// Makes a field present; returns its position.
static uint32_t w_field(writer* w, uint32_t table, uint32_t id) {
  uint32_t back;
  memcpy(&back, w->bytes + table, 4);
  w_poke_u16(w, table - back + 4 + 2 * id, 4 + 8 * id);
  return table + 4 + 8 * id;
}

static void w_set(writer* w, uint32_t table, uint32_t id, uint64_t value) {
  w_poke(w, w_field(w, table, id), &value, 8);
}

static void w_set_offset(writer* w, uint32_t table, uint32_t id, uint32_t target) {
  w_link(w, w_field(w, table, id), target);
}

// Returns the position of the first element.
static uint32_t w_set_vector(writer* w, uint32_t table, uint32_t id, const void* elements, uint32_t count,
                             uint32_t element_bytes) {
  const uint32_t length = w_reserve(w, 4 + count * element_bytes, 8, 4);
  w_poke(w, length, &count, 4);
  if (elements != NULL) w_poke(w, length + 4, elements, count * element_bytes);
  w_set_offset(w, table, id, length);
  return length + 4;
}

static void w_set_string(writer* w, uint32_t table, uint32_t id, const char* text) {
  const uint32_t position = w_set_vector(w, table, id, text, (uint32_t)strlen(text) + 1, 1);
  const uint32_t length = (uint32_t)strlen(text);
  w_poke(w, position - 4, &length, 4);
}

// A new table as element `index` of a vector of offsets.
static uint32_t w_new_element(writer* w, uint32_t elements, uint32_t index, uint32_t num_fields) {
  const uint32_t table = w_table(w, num_fields);
  w_link(w, elements + 4 * index, table);
  return table;
}

static uint32_t w_new_table(writer* w, uint32_t parent, uint32_t id, uint32_t num_fields) {
  const uint32_t table = w_table(w, num_fields);
  w_set_offset(w, parent, id, table);
  return table;
}

#endif  // OCELLI_TESTS_FLATBUFFER_WRITER_H_
