#pragma once

/// The secrets that steps use, and whether they are stored, for people.

#include "controller/cli/context.h"
#include "controller/secrets/uses.h"

namespace relab::controller::cli {

/// A line for each of them; no line if there are none. What is missing is told with the command
/// that stores it.
void show_secrets(Context& context, schema::Lab::Reader lab, const SecretUsers& users);

}  // namespace relab::controller::cli
