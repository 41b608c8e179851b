#include "controller/lab/lab.h"

#include <capnp/message.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>

#include "controller/lab/additions.h"
#include "controller/lab/checks.h"
#include "controller/lab/findings.h"
#include "controller/lab/references.h"
#include "controller/lab/toml.h"
#include "controller/lab/walk.h"

namespace relab::lab {

namespace {

Reading unreadable(std::string_view name, std::string what, std::string hint = {}) {
  return {.lab = std::nullopt,
          .mistakes = {{.file = std::string(name),
                        .line = 0,
                        .column = 0,
                        .key = {},
                        .what = std::move(what),
                        .hint = std::move(hint)}}};
}

/// Why a path cannot be a lab file; empty if it can. Devices and pipes could block, or never end.
std::string refusal(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::not_found) return "there is no such file";
  if (code) return fmt::format("the file cannot be read: {}", code.message());
  if (status.type() == std::filesystem::file_type::directory) return "this is a directory";
  if (status.type() != std::filesystem::file_type::regular) return "this is no regular file";
  return {};
}

/// At most one byte more than a lab file may have.
std::optional<std::string> content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(file_size_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

template <typename Machine>
std::string endpoint(Machine machine) {
  auto agent = str(machine.getAgent());
  if (agent.empty()) agent = "tcp://" + str(machine.getIp());
  // The first colon is the one of "tcp://".
  if (agent.find(':', 4) == std::string::npos) agent += fmt::format(":{}", agent_port);
  return agent;
}

}  // namespace

Reading parse_lab(std::string_view text, std::string_view name) {
  const auto parsed = parse_toml(text, name);
  if (const auto* mistake = std::get_if<Mistake>(&parsed))
    return {.lab = std::nullopt, .mistakes = {*mistake}};
  Findings findings{std::string(name)};
  Draft<schema::Lab> draft;
  Walk walk(findings);
  walk.fill(*std::get<Node>(parsed).table(), capnp::toDynamic(*draft));
  check_references(capnp::toDynamic(draft->asReader()), walk.references(), findings);
  check_lab(draft->asReader(), findings);
  auto mistakes = std::move(findings).take();
  if (!mistakes.empty()) return {.lab = std::nullopt, .mistakes = std::move(mistakes)};
  complete_lab(*draft);
  auto lab = std::move(draft).finish();
  if (lab.bytes().size() > message_size_max)
    return unreadable(name, "the lab is larger than a message may be");
  return {.lab = std::move(lab), .mistakes = {}};
}

Reading read_lab(const std::filesystem::path& path) {
  const auto name = path.string();
  if (auto why = refusal(path); !why.empty())
    return unreadable(name, std::move(why), "give the path of a lab file, such as lab.toml");
  errno = 0;
  const auto text = content(path);
  if (!text)
    return unreadable(name, fmt::format("the file cannot be read: {}", std::strerror(errno)));
  return parse_lab(*text, name);
}

Result<std::string> agent_endpoint(schema::Lab::Reader lab, std::string_view name) {
  for (const auto host : lab.getHosts())
    if (view(host.getName()) == name) return endpoint(host);
  for (const auto guest : lab.getGuests())
    if (view(guest.getName()) == name) return endpoint(guest);
  return fail(Fault::missing, fmt::format("the lab has no host or guest '{}'", name));
}

}  // namespace relab::lab
