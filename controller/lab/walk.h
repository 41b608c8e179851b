#pragma once

/// Fills a message of any type from a TOML tree by walking the schema: field names give the keys,
/// annotations the limits. It knows nothing of labs; every rule it applies stands in the schema.

#include <capnp/dynamic.h>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "common/reflect/notes.h"
#include "controller/lab/findings.h"
#include "controller/lab/tree.h"

namespace relab::lab {

/// A text that names an element of a list, to be looked up once the whole file is read.
struct Reference {
  std::string path;
  /// As in $ref.
  std::string lists;
  std::string name;
};

class Walk {
 public:
  explicit Walk(Findings& findings) : findings_(findings) {}

  /// Fills the message with all of the table that is right, and reports what is not.
  void fill(const Table& table, capnp::DynamicStruct::Builder message) {
    fill_struct(table, message, "", {.line = 1, .column = 1});
  }
  const std::vector<Reference>& references() const { return references_; }

 private:
  using Field = capnp::StructSchema::Field;
  using Notes = reflect::Notes;
  /// What a value is read into: its type, its annotations, and the path that messages name.
  struct Slot {
    capnp::Type type;
    const Notes& notes;
    const std::string& path;
  };
  /// The names seen so far in one list, with the place of each, and the count of its elements.
  struct Names {
    std::map<std::string, Position> first;
    std::size_t elements = 0;
  };

  void fill_struct(const Table& table, capnp::DynamicStruct::Builder message,
                   const std::string& path, Position at);
  void fill_entry(const Entry& entry, capnp::DynamicStruct::Builder message,
                  const std::string& path);
  void fill_field(const Node& node, Field field, capnp::DynamicStruct::Builder message,
                  const std::string& path);
  void fill_list(const Node& node, const Slot& slot, Field field,
                 capnp::DynamicStruct::Builder message);
  void fill_elements(const Array& array, const Slot& slot, capnp::DynamicList::Builder list);
  void fill_structs(const Array& array, const Slot& slot, capnp::DynamicList::Builder list);

  void check_union(const Table& table, capnp::StructSchema schema, const std::string& path,
                   Position at);
  void check_required(const Table& table, capnp::StructSchema schema, const std::string& path,
                      Position at);
  std::string element_path(const Node& node, capnp::StructSchema schema, const std::string& list,
                           Names& names);

  /// The value for a scalar, or nothing after a report. Texts point into the tree.
  kj::Maybe<capnp::DynamicValue::Reader> scalar(const Node& node, const Slot& slot);
  kj::Maybe<capnp::DynamicValue::Reader> number(const Node& node, const Slot& slot);
  kj::Maybe<capnp::DynamicValue::Reader> text(const Node& node, const Slot& slot);
  kj::Maybe<capnp::DynamicValue::Reader> enumerant(const Node& node, const Slot& slot);
  void check_section(const std::string& text, const std::string& path);
  bool matches(const std::string& text, const std::string& pattern);
  void wrong_type(const Node& node, const std::string& path, const std::string& expected,
                  std::string hint = {});

  Findings& findings_;
  std::vector<Reference> references_;
  std::map<std::string, std::regex> patterns_;
};

}  // namespace relab::lab
