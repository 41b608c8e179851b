#pragma once

/// The programs that a lab file may declare, as their packages and images bring them.

#include <cstdint>
#include <string_view>
#include <vector>

#include "schema/lab.capnp.h"

namespace relab::lab {

struct Program {
  schema::Lab::Service::Kind kind;
  /// As a lab file has it: "open_webui".
  std::string_view name;
  /// By which systemd runs it, the usual one first; "wg-quick@.service" stands for its instances.
  std::vector<std::string_view> units;
  /// Of TCP; 0: none.
  std::uint16_t port = 0;
  /// Of its configuration and data; empty: they are in several, or it has none.
  std::string_view folder = {};
  /// Of Docker, without registry and tag.
  std::vector<std::string_view> images = {};
};

const std::vector<Program>& programs();
/// There is one for each kind but the unset one, which gets an empty one.
const Program& program(schema::Lab::Service::Kind kind);
/// Null: none that a lab file knows.
const Program* program_of_unit(std::string_view unit);
/// "lscr.io/linuxserver/sonarr:latest"
const Program* program_of_image(std::string_view image);

}  // namespace relab::lab
