#include "controller/cli/cli.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

#include "common/base/text.h"
#include "common/base/version.h"
#include "common/crypto/secret.h"
#include "controller/cli/context.h"

namespace relab::controller {

namespace {

namespace po = boost::program_options;

po::options_description global_options(Globals& globals, std::string& form) {
  po::options_description options("Options of every command", 110);
  auto add = options.add_options();
  add("lab", po::value(&globals.lab_file)->default_value("lab.toml"), "the lab file");
  add("config-dir", po::value(&globals.config_dir), "keys; default $XDG_CONFIG_HOME/relab");
  add("state-dir", po::value(&globals.state_dir), "ledger; default $XDG_STATE_HOME/relab/LAB");
  add("passphrase-file", po::value(&globals.passphrase_file), "read the passphrase from this file");
  add("passphrase-fd", po::value(&globals.passphrase_fd),
      "read the passphrase from this descriptor");
  add("output", po::value(&form)->default_value("text"), "text or json");
  add("help,h", "help; with a command, of that command");
  add("version,V", "the version");
  return options;
}

constexpr std::size_t usage_width = 33;

std::string overview(const po::options_description& options) {
  std::string text =
      "relab rebuilds a Proxmox home lab in gated phases: nothing proceeds without evidence.\n\n";
  for (const auto& command : commands()) {
    const auto usage = fmt::format("{} {}", command.name, command.arguments);
    text += usage.size() <= usage_width
                ? fmt::format("  {:{}}  {}\n", usage, usage_width, command.help)
                : fmt::format("  {}\n  {:{}}  {}\n", usage, "", usage_width, command.help);
  }
  std::ostringstream listed;
  listed << options;
  return text + "\n" + listed.str() +
         "\nExit codes: 0 done; 1 failed; 2 usage or lab file invalid; 3 waiting at a gate; 4 "
         "waiting for a person;\n"
         "5 agents unreachable; 130 detached (work goes on).\n"
         "Example: relab --lab lab.toml run 0a\n";
}

std::string help_of(const Command& command, const po::options_description& own,
                    const po::options_description& global) {
  std::ostringstream listed;
  listed << own << "\n" << global;
  return fmt::format(
      "relab {} {}\n  {}\n\nExample: {}\n\n{}\nExit codes: 0 done; 1 failed; 2 usage or lab file "
      "invalid; 3 waiting at a gate; "
      "4 waiting for a person;\n5 agents unreachable; 130 detached (work goes on).\n",
      command.name, command.arguments, command.help, command.example, listed.str());
}

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

Error no_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  const auto near = nearest(name, names);
  return {
      .fault = Fault::invalid,
      .what = fmt::format("there is no command '{}'", name),
      .hint = near.empty() ? "relab --help lists them" : fmt::format("did you mean '{}'?", near)};
}

/// The first word that is no option and no option's value.
std::string command_name(const std::vector<std::string>& arguments,
                         const po::options_description& global) {
  po::options_description all;
  all.add(global).add_options()("word", po::value<std::vector<std::string>>());
  po::positional_options_description words;
  words.add("word", -1);
  const auto parsed =
      po::command_line_parser(arguments).options(all).positional(words).allow_unregistered().run();
  for (const auto& option : parsed.options)
    if (option.string_key == "word" && !option.value.empty()) return option.value[0];
  return {};
}

Values parse_values(const std::vector<std::string>& arguments, const po::options_description& own,
                    const po::options_description& global) {
  po::options_description all;
  all.add(own).add(global).add_options()("command", po::value<std::string>())(
      "argument", po::value<std::vector<std::string>>());
  po::positional_options_description words;
  words.add("command", 1).add("argument", -1);
  Values values;
  po::store(po::command_line_parser(arguments).options(all).positional(words).run(), values);
  po::notify(values);
  return values;
}

ExitCode usage_error(const Error& error) {
  Printer(Printer::Form::text).error(error);
  return ExitCode::usage;
}

ExitCode dispatch(const std::vector<std::string>& arguments) try {
  Globals globals;
  std::string form;
  const auto global = global_options(globals, form);
  const auto name = command_name(arguments, global);
  po::options_description own("Options");
  const auto* command = find_command(name);
  if (!name.empty() && command == nullptr) return usage_error(no_command(name));
  if (command != nullptr && command->declare != nullptr) command->declare(own);
  const auto values = parse_values(arguments, own, global);
  Printer printer(form == "json" ? Printer::Form::json : Printer::Form::text);
  if (values.count("version") != 0) {
    printer.raw(fmt::format("relab {}\n", version));
  } else if (values.count("help") != 0 || command == nullptr) {
    printer.raw(command == nullptr ? overview(global) : help_of(*command, own, global));
    if (values.count("help") == 0) return ExitCode::usage;
  } else if (form != "json" && form != "text") {
    return usage_error(
        {.fault = Fault::invalid, .what = fmt::format("--output is text or json, not '{}'", form)});
  } else if (arguments_of(values).size() > command->arguments_max) {
    return usage_error({.fault = Fault::invalid,
                        .what = fmt::format("too many arguments for `relab {}`", name),
                        .hint = fmt::format("usage: relab {} {}", name, command->arguments)});
  } else if (std::ranges::count(arguments_of(values), "") != 0) {
    // A variable of a shell that is not set: left out, it would mean something else, such as all.
    return usage_error({.fault = Fault::invalid,
                        .what = fmt::format("an argument of `relab {}` is empty", name),
                        .hint = fmt::format("usage: relab {} {}", name, command->arguments)});
  } else {
    Context context(std::move(globals), printer);
    const auto code = command->run(values, context);
    if (printer.healthy()) return code;
  }
  if (printer.healthy()) return ExitCode::done;
  printer.error({.fault = Fault::busy, .what = "the output could not be written"});
  return ExitCode::failed;
} catch (const po::error& error) {
  return usage_error(
      {.fault = Fault::invalid, .what = error.what(), .hint = "relab --help shows the options"});
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments) {
  crypto::start();
  return static_cast<int>(dispatch(arguments));
}

}  // namespace relab::controller
