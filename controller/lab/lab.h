#pragma once

/// Reads a lab file: TOML to schema::Lab, with every mistake in it.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/wire/message.h"
#include "controller/lab/mistake.h"
#include "schema/lab.capnp.h"

namespace relab::lab {

/// Where an agent listens if the file does not say.
inline constexpr unsigned agent_port = 7460;

/// A lab if and only if there are no mistakes.
struct Reading {
  std::optional<Message<schema::Lab>> lab;
  std::vector<Mistake> mistakes;
};

/// Reads a regular file of at most 4 MiB.
Reading read_lab(const std::filesystem::path& path);

/// `name` stands for the file in the mistakes.
Reading parse_lab(std::string_view text, std::string_view name);

/// Where the agent of a host or guest listens, with its port: "tcp://10.42.10.2:7460".
/// Fault::missing if the lab has no host or guest of that name.
Result<std::string> agent_endpoint(schema::Lab::Reader lab, std::string_view name);

}  // namespace relab::lab
