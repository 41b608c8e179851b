#pragma once

/// The machines that a rehearsal takes for real.

#include <string>
#include <vector>

#include "common/wire/message.h"
#include "controller/cli/command.h"
#include "controller/cli/context.h"
#include "schema/world.capnp.h"

namespace relab::controller::cli {

/// With what they were made of, in words.
struct Ground {
  /// One for each host of the lab.
  std::vector<Message<schema::World>> worlds;
  std::string words;
};

/// As the options --world, --described and --audit say. Without them the newest audit of the
/// ledger; where there is none, the files HOST.world.json beside the lab's file; without those,
/// what the lab's file describes.
Result<Ground> ground_of(const Values& values, Context& context, schema::Lab::Reader lab,
                         Instant begin);

/// Into this file; of several, into one for each host, with its name behind a dot. Nothing where
/// the name is empty.
Result<void> save_worlds(const Ground& ground, const std::string& file);

/// Empty: it was not given.
std::string option_text(const Values& values, const char* option);

}  // namespace relab::controller::cli
