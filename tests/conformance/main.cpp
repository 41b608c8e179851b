// The same commands for a real machine and a simulated one: `relab-conform` without arguments says
// how. What they answer comes as lines of JSON, which tests/vmlab/conformance compares.
//
// In a script, beside programs:
//   @put PATH TEXT     a file with this content
//   @remove PATH       no such file any more
//   @read PATH         its content
//   @list PATH         the names in a folder
//   @status PATH       type, size, mode and owners
//   @wait SECONDS      time passes
//   @audit SECTION     what this section of the audit finds
//   @task JSON         a task kind, as an agent would: what it finds, what it changes, all it runs;
//                      secrets are variables

#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>

#include "agent/host/real_host.h"
#include "agent/host/sim/machine/machine.h"
#include "common/base/file.h"
#include "common/base/number.h"
#include "tests/conformance/looking.h"
#include "tests/conformance/neighbours.h"
#include "tests/conformance/script.h"
#include "tests/conformance/telling_host.h"

namespace relab::conformance {

namespace {

using agent::Host;
using Words = std::vector<std::string>;

constexpr auto usage = R"(Usage:
  relab-conform audit NAME [SECTION...]                   this machine as a world, behind all that was asked for it
  relab-conform run SCRIPT... VARIABLE=VALUE...           scripts on this machine
  relab-conform simulate WORLD                            the audit once more, on the machine of a world
  relab-conform simulate WORLD SCRIPT... VARIABLE=VALUE   scripts there
  relab-conform simulate --beside NEIGHBOURS WORLD ...    and with these machines beside it: neighbours.h
)";
/// Programs start slowly under emulation.
constexpr auto program_time_max = std::chrono::minutes(5);

void print(const Json& line) {
  std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

Json told_of(const Error& error) {
  return {{"fault", name(error.fault)}, {"what", error.sentence()}};
}

template <typename T, typename Tell>
Json told_of(const Result<T>& result, Tell tell) {
  return result ? Json{{"told", tell(*result)}} : told_of(result.error());
}

Json status_told(const agent::FileStatus& status) {
  return {{"type", static_cast<int>(status.type)},
          {"size", status.type == agent::FileType::directory ? 0 : status.size},
          {"mode", status.mode},
          {"uid", status.uid},
          {"gid", status.gid}};
}

Result<Json> audited(Host& host, const std::string& section) {
  RELAB_TRY(const auto world, audit(host, "here", {section}));
  return Json::parse(world.to_json(), nullptr, false).value(section, Json());
}

Json special(Host& host, const Words& argv) {
  const auto as_is = [](const auto& value) { return Json(value); };
  const auto done = [](const Result<void>& result) {
    return result ? Json{{"told", "done"}} : told_of(result.error());
  };
  const auto& verb = argv[0];
  const auto& first = argv[1];
  if (verb == "@put" && argv.size() == 3)
    return done(host.put_file(first, {.text = argv[2] + "\n"}, {.mode = 0644}));
  if (verb == "@remove") return done(host.remove_file(first));
  if (verb == "@read") return told_of(host.read_file(first), as_is);
  if (verb == "@list") return told_of(host.list(first), as_is);
  if (verb == "@status") return told_of(host.status(first), status_told);
  if (verb == "@task") return told_of(perform(host, first), as_is);
  if (verb == "@audit") return told_of(audited(host, first), as_is);
  if (verb == "@wait") {
    const auto seconds = parse_number<unsigned>(first);
    return seconds ? done(host.pause(std::chrono::seconds(*seconds), {}))
                   : told_of(seconds.error());
  }
  return told_of({.fault = Fault::invalid, .what = "there is no " + verb});
}

struct Given {
  Words files;
  Variables variables;
};

Given given_of(const Words& words) {
  Given given;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos)
      given.files.push_back(word);
    else
      given.variables[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return given;
}

Result<void> run_script(Host& host, const std::string& file, const Variables& variables) {
  RELAB_TRY(const auto text, read_small_file(file));
  RELAB_TRY(const auto steps, parse_script(text, variables).during("reading " + file));
  const auto name = agent::Path(file).stem().string();
  for (const auto& step : steps) {
    TellingHost telling(
        host,
        [&](Json line) {
          line["script"] = name;
          line["line"] = step.line;
          print(line);
        },
        variables);
    if (step.argv[0].starts_with('@') && step.argv.size() > 1) {
      auto line = special(telling, step.argv);
      line["script"] = name;
      line["line"] = step.line;
      line["argv"] = step.argv;
      print(line);
      continue;
    }
    static_cast<void>(
        telling.run({.argv = step.argv, .input = step.input, .timeout = program_time_max})
            .has_value());
  }
  return {};
}

Result<void> run_scripts(Host& host, const Words& words) {
  const auto given = given_of(words);
  for (const auto& file : given.files) RELAB_CHECK(run_script(host, file, given.variables));
  return {};
}

Result<void> run_audit(Host& host, const std::string& name, const Words& sections) {
  TellingHost telling(host, [](Json line) {
    line["script"] = "audit";
    print(line);
  });
  RELAB_TRY(const auto world, audit(telling, name, sections));
  print({{"world", Json::parse(world.to_json(), nullptr, false)}});
  return {};
}

Result<void> simulate(Words words) {
  std::string neighbours;
  if (words[0] == "--beside") {
    if (words.size() < 3)
      return fail(Fault::invalid, "--beside takes a file, and a world after it");
    RELAB_TRY(neighbours, read_small_file(words[1], message_size_max));
    words.erase(words.begin(), words.begin() + 2);
  }
  RELAB_TRY(const auto text, read_small_file(words[0], message_size_max));
  RELAB_TRY(const auto world, Message<schema::World>::from_json(text));
  const auto machine = std::make_unique<agent::sim::Machine>(world.reader());
  if (!neighbours.empty())
    RELAB_CHECK(place_neighbours(neighbours, machine->reachability())
                    .during("reading who is beside the machine"));
  if (words.size() == 1) return run_audit(machine->host(), str(world.reader().getHost()), {});
  return run_scripts(machine->host(), {words.begin() + 1, words.end()});
}

Result<void> act(const Words& words) {
  const Words rest(words.begin() + 2, words.end());
  if (words[0] == "simulate") return simulate({words.begin() + 1, words.end()});
  // What a simulated one has, too.
  const auto keys = crypto::Keys::make();
  const std::string head = "{\"payloadType\":\"a head\"}\n";
  agent::RealHost host({}, std::string(agent::pinned_path), {.keys = &keys, .ledger_head = &head});
  if (words[0] == "audit") return run_audit(host, words[1], rest);
  if (words[0] == "run") return run_scripts(host, {words.begin() + 1, words.end()});
  return fail(Fault::invalid, "there is no verb " + words[0]);
}

int run(const Words& words) {
  if (words.size() < 2) {
    std::cerr << usage;
    return 2;
  }
  const auto done = act(words);
  if (!done) std::cerr << "relab-conform: " << done.error().sentence() << "\n";
  return done ? 0 : 1;
}

}  // namespace

}  // namespace relab::conformance

int main(int argc, char** argv) try {
  return relab::conformance::run({argv + 1, argv + argc});
} catch (const std::exception& exception) {
  std::fprintf(stderr, "relab-conform: internal error: %s\n", exception.what());
  return 1;
}
