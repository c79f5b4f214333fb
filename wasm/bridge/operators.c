// Prints the rows of operators.def for JavaScript (dist/operators.js) or, with --markdown, for the manual
// (docs/operators.md). Run at build time.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tflite/tflite.h"

typedef struct {
  const char *name, *type;
} field;

// Each options table (type NULL) is followed by its fields in the order of their ids. kNumbers: for a table, its type
// in the union BuiltinOptions; for a field, its value if it is absent.
static const field kFields[] = {
#define OPTIONS(name, number) {#name, NULL},
#define FIELD(id, type, name, member, absent, min, max) {#name, #type},
#define REFUSED(id, type, name) {#name, #type},
#define UNREAD(id, type, name) {#name, #type},
#include "tflite/operators.def"
};
static const int kNumbers[] = {
#define OPTIONS(name, number) number,
#define FIELD(id, type, name, member, absent, min, max) absent,
#define REFUSED(id, type, name) 0,
#define UNREAD(id, type, name) 0,
#include "tflite/operators.def"
};

enum { ANY = 0 };

static const struct {
  const char* name;
  int code;
  const char* options;
  int maps;
  const char* int8;
  int version;
  const char* flags;
} kOperators[] = {
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) \
  {#name, code, #options, maps, #int8, version, #flags},
#include "tflite/operators.def"
};

static const char* const kCustomOperators[] = {
#define CUSTOM_OPERATOR(name, inputs, outputs, flags) #name,
#include "tflite/operators.def"
};

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

// stride_w -> strideW
static void print_in_camel_case(const char* name) {
  for (bool is_next_upper = false; *name != '\0'; name++) {
    if (*name != '_') putchar(is_next_upper ? *name - 'a' + 'A' : *name);
    is_next_upper = *name == '_';
  }
}

static char type_letter(const char* type) {
  return strcmp(type, "INT") == 0 ? 'i' : strcmp(type, "FLOAT") == 0 ? 'f' : strcmp(type, "INTS") == 0 ? 'v' : 'b';
}

static void print_options(void) {
  puts(
      "\n/**\n * Options tables. number: type in the union BuiltinOptions. fields, by id: name, type, and the value "
      "of\n "
      "* an absent field if it is not 0. Types: b: one byte, i: int32, f: float32, v: a vector of int32.\n"
      " * @type {Record<string, {number: number, fields: [string, 'b' | 'i' | 'f' | 'v', number?][]}>}\n */\n"
      "export const OPTIONS = {");
  for (int i = 0; i < COUNT(kFields); i++) {
    if (kFields[i].type != NULL) {
      printf("['");
      print_in_camel_case(kFields[i].name);
      printf("', '%c'", type_letter(kFields[i].type));
      if (kNumbers[i] != 0) printf(", %d", kNumbers[i]);
      printf("], ");
    } else {
      printf("%s  %s: { number: %d, fields: [", i == 0 ? "" : "] },\n", kFields[i].name, kNumbers[i]);
    }
  }
  puts("] },\n};");
}

static const char* form_name(const char* int8) {
  return strcmp(int8, "OWN_SCALE") == 0         ? "own"
         : strcmp(int8, "TIED_SCALE") == 0      ? "tied"
         : strcmp(int8, "MOVES") == 0           ? "moves"
         : strcmp(int8, "PROBABILITY") == 0     ? "probability"
         : strcmp(int8, "SIGNED_UNIT") == 0     ? "signedUnit"
         : strcmp(int8, "LOG_PROBABILITY") == 0 ? "logProbability"
                                                : NULL;
}

static int first_map(const char* flags) {
  return strstr(flags, "MAPS_FROM_1") != NULL ? 1 : strstr(flags, "MAPS_FROM_2") != NULL ? 2 : 0;
}

static void print_operators(void) {
  puts(
      "\n/**\n * code: BuiltinOperator. options: the name of its options table. maps: the first `maps` inputs are "
      "feature\n"
      " * maps (absent: all), or those from `firstMap` on. int8: its 8-bit form and the operator's version in that "
      "form.\n"
      " * 'own': each tensor has its own scale; 'tied': inputs and outputs share one scale; 'moves': tied, and it "
      "only\n"
      " * moves elements; 'probability', 'signedUnit', 'logProbability': the output's scale is fixed.\n"
      " * @type {Record<string, {code: number, options?: string, maps?: number, firstMap?: number,\n"
      " *   int8?: {form: 'own' | 'tied' | 'moves' | 'probability' | 'signedUnit' | 'logProbability', version: "
      "number}}>}\n */\n"
      "export const OPERATORS = {");
  for (int i = 0; i < COUNT(kOperators); i++) {
    printf("  %s: { code: %d", kOperators[i].name, kOperators[i].code);
    if (strcmp(kOperators[i].options, "NONE") != 0) printf(", options: '%s'", kOperators[i].options);
    if (kOperators[i].maps != ANY) printf(", maps: %d", kOperators[i].maps);
    if (first_map(kOperators[i].flags) != 0) printf(", firstMap: %d", first_map(kOperators[i].flags));
    const char* form = form_name(kOperators[i].int8);
    if (form != NULL) printf(", int8: { form: '%s', version: %d }", form, kOperators[i].version);
    puts(" },");
  }
  puts("};");
}

static void print_markdown(void) {
  puts(
      "# Operators\n\nocelli runs `.tflite` files with these operators. If a model has any other operator, `create` "
      "throws\n"
      "`UNSUPPORTED_OPERATOR` and names it. `quantize` converts operators with an 8-bit form to int8. (Made from\n"
      "`src/tflite/operators.def`.)\n\n"
      "| operator | 8-bit form |\n| --- | --- |");
  for (int i = 0; i < COUNT(kOperators); i++)
    printf("| %s | %s |\n", kOperators[i].name, form_name(kOperators[i].int8) != NULL ? "yes" : "");
  for (int i = 0; i < COUNT(kCustomOperators); i++) printf("| %s (custom) | |\n", kCustomOperators[i]);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--markdown") == 0) {
    print_markdown();
    return 0;
  }
  puts("// Generated by wasm/bridge/operators.c from src/tflite/operators.def.");
  print_options();
  print_operators();
  return 0;
}
