// Prints the JSON Schema of lab.toml, for json_schema_test.py.

#include <cstdio>

#include "controller/lab/json_schema.h"

int main() {
  const auto schema = relab::lab::json_schema();
  return std::fwrite(schema.data(), 1, schema.size(), stdout) == schema.size() ? 0 : 1;
}
