#pragma once

/// What a command of the command line is.

#include <boost/program_options.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relab::controller {

class Context;

/// What the process returns; documented in --help.
enum class ExitCode {
  done = 0,
  failed = 1,
  usage = 2,
  gate_closed = 3,
  person_needed = 4,
  unreachable = 5,
  detached = 130,
};

using Values = boost::program_options::variables_map;

struct Command {
  std::string_view name;
  /// After the name: "PHASE", "[FILE]".
  std::string_view arguments;
  std::string_view help;
  std::string_view example;
  /// The most positional arguments.
  std::size_t arguments_max;
  /// Options of its own; may be null.
  void (*declare)(boost::program_options::options_description& options);
  ExitCode (*run)(const Values& values, Context& context);
};

/// The whole list, in the order of --help.
std::span<const Command> commands();

/// The value of --patience, in seconds: at most a day. (The library takes "-1" for 4294967295.)
boost::program_options::typed_value<unsigned>* patience_value(unsigned absent);

/// The positional arguments behind the command's name.
std::vector<std::string> arguments_of(const Values& values);
/// One of them, or "".
std::string argument_of(const Values& values, std::size_t index);

}  // namespace relab::controller
