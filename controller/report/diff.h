#pragma once

/// What differs between two findings of one kind.
///
/// Elements of lists of structs are matched by what identifies them (key.h), whatever their order;
/// if nothing does, equal rows are matched and the others are gone or new. Texts of a list are
/// matched as a set; if only their order differs, that is one change. $volatile fields are passed
/// over unless asked for, and never make a row a different one.

#include <capnp/dynamic.h>
#include <string>
#include <vector>

#include "controller/report/style.h"

namespace relab::controller {

struct Change {
  enum class Kind { added, removed, changed };

  Kind kind;
  /// From the section down to the field or element: "zfs", "pools", "datapool", "health".
  std::vector<std::string> path;
  /// As shown to people, not yet made harmless; rounded where that does not hide the difference. An
  /// element that came or went is shown by all its fields.
  std::string before;
  std::string after;
  /// Of a $volatile field.
  bool is_volatile = false;

  bool operator==(const Change&) const = default;
};

enum class Volatile { hidden, shown };

/// In the order of the schema, the coverage first if the schema has it first. Empty: the findings
/// are equal, but for hidden $volatile fields. What one side could not read counts as not there:
/// look at changes of the coverage before believing that something is gone. Findings of different
/// kinds are one change.
std::vector<Change> diff(capnp::DynamicStruct::Reader before, capnp::DynamicStruct::Reader after,
                         const std::string& root, Volatile fields = Volatile::hidden);

/// One line for each: "~ zfs pools datapool health: ONLINE -> DEGRADED", "+ ...", "- ...". Nothing
/// for no changes.
std::string render_changes(const std::vector<Change>& changes, const Style& style);

/// A JSON array; "[]" for no changes. ASCII only.
std::string changes_json(const std::vector<Change>& changes);

}  // namespace relab::controller
