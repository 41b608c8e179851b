#pragma once

/// What a schema cannot say about a lab: that addresses fit, disks are not claimed twice, phases
/// can be ordered. Each check is a small function over the whole lab. It says nothing about what is
/// absent or did not pass the schema: that has been reported already.

#include <span>
#include <string_view>

#include "controller/lab/findings.h"
#include "schema/lab.capnp.h"

namespace relab::lab {

struct Check {
  /// What holds if it reports nothing.
  std::string_view name;
  void (*run)(schema::Lab::Reader lab, Findings& findings);
};

std::span<const Check> network_checks();
std::span<const Check> storage_checks();
std::span<const Check> guest_checks();
std::span<const Check> plan_checks();

/// All of them.
void check_lab(schema::Lab::Reader lab, Findings& findings);

}  // namespace relab::lab
