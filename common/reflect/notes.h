#pragma once

/// What the schema's annotations say about a field, and the names under which people know fields.

#include <capnp/schema.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relab::reflect {

struct Limits {
  std::int64_t least;
  std::int64_t greatest;
};

/// The annotations of one field; texts are empty where there is none.
struct Notes {
  std::string doc;
  /// The lists of the lab that this text refers to: "guests", "network.vlans", "hosts|guests".
  std::string ref;
  std::string unit;
  std::string example;
  std::string pattern;
  std::string audit;
  /// The list of a role's manifest that must permit the value.
  std::string limit;
  /// The class of what a task changes, if this parameter names it.
  std::string resource;
  std::optional<Limits> range;
  bool key = false;
  bool required = false;
  bool section = false;
  bool secret = false;
  bool convergent = false;
  bool destructive = false;
  bool commit_confirmed = false;
  /// A probe that waits until a person has done something.
  bool waits = false;
  /// Evidence that a task kind needs, by name.
  std::vector<std::string> needs;
  /// It changes by itself all the time; a comparison passes over it.
  bool is_volatile = false;
};

Notes notes_of(capnp::StructSchema::Field field);

/// Those of a task kind, by the name of its arm in the union; as if it had none where there is no
/// such kind.
Notes notes_of_kind(std::string_view arm);

/// The $doc of a struct, an enum or an enumerant; empty if it has none.
std::string doc_of(capnp::Schema schema);
std::string doc_of(capnp::EnumSchema::Enumerant enumerant);

/// The schema's name as people write it: "maxAge" is "max_age", "auditZfs" is "audit_zfs".
std::string snake_case(std::string_view camel);
std::string key_of(capnp::StructSchema::Field field);
std::string key_of(capnp::EnumSchema::Enumerant enumerant);

/// A member that stands for nothing having been said: the first one of a union or enum, named
/// "unset".
bool is_unset(capnp::StructSchema::Field field);
bool is_unset(capnp::EnumSchema::Enumerant enumerant);

/// The members that a person can choose of a union.
std::vector<capnp::StructSchema::Field> choices(capnp::StructSchema schema);

/// The sections of the audit: the $audit of every task kind, in the schema's order.
std::vector<std::string> audit_sections();

}  // namespace relab::reflect
