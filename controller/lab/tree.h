#pragma once

/// A TOML document as plain values with their places, so that one file alone knows the TOML
/// library.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "controller/lab/mistake.h"

namespace relab::lab {

struct Node;
struct Entry;
using Table = std::vector<Entry>;
using Array = std::vector<Node>;
/// A value that no field takes: dates and times.
struct Date {};

struct Node {
  Position at;
  std::variant<std::string, std::int64_t, double, bool, Date, Table, Array> value;

  const Table* table() const { return std::get_if<Table>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const std::string* text() const { return std::get_if<std::string>(&value); }
};

struct Entry {
  std::string key;
  Position at;
  Node value;
};

/// What a value is, as a message says it: "a whole number".
std::string kind_of(const Node& node);

}  // namespace relab::lab
