#pragma once

/// What a task changes: what only one task at a time may work on.

#include <string>

#include "schema/task.capnp.h"

namespace relab::reflect {

/// "disk WD-1", "interface vmbr0": the class and value of the parameter that $resource marks;
/// "dpkg": of one that is no text, the class. Empty: the task kind marks none.
std::string resource_of(schema::Task::Reader task);

}  // namespace relab::reflect
