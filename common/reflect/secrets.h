#pragma once

/// Which secrets a task uses.

#include <string>
#include <vector>

#include "schema/task.capnp.h"

namespace relab::reflect {

/// The values of the parameters that $secret marks, however deep within them: names of secrets,
/// each once, sorted.
std::vector<std::string> secrets_of(schema::Task::Reader task);

}  // namespace relab::reflect
