#pragma once

/// What a struct of facts holds, taken apart by how it is shown.

#include <capnp/dynamic.h>
#include <optional>
#include <string>
#include <vector>

#include "controller/report/value.h"
#include "schema/coverage.capnp.h"

namespace relab::controller {

struct Named {
  std::string name;
  Shown shown;
};

struct ListField {
  std::string name;
  capnp::DynamicList::Reader rows;
};

struct StructField {
  std::string name;
  capnp::DynamicStruct::Reader value;
};

/// Readers in it live as long as the message. Of a union only the member that it holds is here.
struct Contents {
  std::vector<Named> scalars;
  /// Lists of structs, the empty ones too.
  std::vector<ListField> lists;
  /// Nested structs and groups, without the coverage.
  std::vector<StructField> structs;
};

/// The fields of the struct under their human names, in the schema's order.
Contents contents_of(capnp::DynamicStruct::Reader value);

/// The same with the fields of nested structs among its own, as "outer inner".
Contents flattened(capnp::DynamicStruct::Reader value);

/// The field is a struct Coverage.
bool is_coverage(capnp::StructSchema::Field field);

/// The coverage of a section's facts, if its schema has one.
std::optional<schema::Coverage::Reader> coverage_of(capnp::DynamicStruct::Reader facts);

/// The fields that count: all but members of a union that it does not hold.
std::vector<capnp::StructSchema::Field> fields_of(capnp::DynamicStruct::Reader value);

bool is_list_of_structs(capnp::Type type);

}  // namespace relab::controller
