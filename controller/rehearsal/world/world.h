#pragma once

/// The machine that a rehearsal takes for the real one: out of an audit, out of lab.toml's
/// description of it, or out of a file.

#include <filesystem>
#include <string>

#include "common/base/time.h"
#include "controller/state/state.h"
#include "schema/lab.capnp.h"
#include "schema/world.capnp.h"

namespace relab::rehearsal {

/// As the lab file has the machine today.
Message<schema::World> world_of_lab(schema::Lab::Reader lab, schema::Lab::Host::Reader host,
                                    Instant began);

/// Which reports of an audit are taken.
struct AuditChoice {
  /// As text; empty: the newest of each section.
  std::string run = {};
  Instant began;
};

/// As reports of its audit have it. Fault::missing, with what to do, if there is no such run, or a
/// section was never read.
Result<Message<schema::World>> world_of_audit(const controller::State& state,
                                              schema::Lab::Reader lab,
                                              schema::Lab::Host::Reader host,
                                              const AuditChoice& choice);

/// JSON, with the names of the schema. Fault::missing, ::damaged, and ::conflict if the file is of
/// another format, or of no host of the lab.
Result<Message<schema::World>> load_world(const std::filesystem::path& file,
                                          schema::Lab::Reader lab);
/// Fault::conflict if the file is there.
Result<void> save_world(const schema::World::Reader& world, const std::filesystem::path& file);

}  // namespace relab::rehearsal
