// apt's sources and pins, as the files say them.

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/debian/world_system.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Source = schema::AuditPackages::Source::Reader;

/// A file as it grows; entries begin at lines that are given.
class Lines {
 public:
  void go_to(std::uint32_t line) {
    while (count_ + 1 < line) add("#");
  }
  void add(std::string_view line) {
    text_ += fmt::format("{}\n", line);
    count_ += 1 + static_cast<std::uint32_t>(std::ranges::count(line, '\n'));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::uint32_t count_ = 0;
};

/// "arch=amd64 lang=de en" as "arch=amd64" and "lang=de en".
std::vector<std::string> options_of(std::string_view text) {
  std::vector<std::string> all;
  for (const auto word : words(text)) {
    if (word.find('=') != std::string_view::npos || all.empty())
      all.emplace_back(word);
    else
      all.back() += " " + std::string(word);
  }
  return all;
}

void add_list_entry(Source source, Lines& lines) {
  std::string options;
  if (source.getSignedBy().size() != 0)
    options = fmt::format("signed-by={}", view(source.getSignedBy()));
  for (const auto& option : options_of(view(source.getOptions())))
    options += (options.empty() ? "" : " ") + option;
  lines.go_to(source.getLine());
  lines.add(fmt::format("{} {}{} {} {}", view(source.getTypes()),
                        options.empty() ? "" : fmt::format("[{}] ", options),
                        view(source.getUris()), view(source.getSuites()),
                        view(source.getComponents())));
}

/// Of a key in the entry itself nothing is told but that it is there.
constexpr std::string_view embedded_key =
    "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n -----END PGP PUBLIC KEY BLOCK-----";

void add_stanza(Source source, Lines& lines) {
  if (!lines.text().empty()) lines.add("");
  lines.go_to(source.getLine());
  lines.add(fmt::format("Types: {}", view(source.getTypes())));
  lines.add(fmt::format("URIs: {}", view(source.getUris())));
  lines.add(fmt::format("Suites: {}", view(source.getSuites())));
  if (source.getComponents().size() != 0)
    lines.add(fmt::format("Components: {}", view(source.getComponents())));
  if (view(source.getSignedBy()) == "embedded")
    lines.add(fmt::format("Signed-By:{}", embedded_key));
  else if (source.getSignedBy().size() != 0)
    lines.add(fmt::format("Signed-By: {}", view(source.getSignedBy())));
  for (const auto& option : options_of(view(source.getOptions()))) {
    const auto equals = option.find('=');
    lines.add(fmt::format("{}: {}", option.substr(0, equals),
                          equals == std::string::npos ? "" : option.substr(equals + 1)));
  }
  if (!source.getEnabled()) lines.add("Enabled: no");
}

void write_pins(SimHost& host, schema::AuditPackages::Facts::Reader facts) {
  std::map<std::string, std::string> files;
  for (const auto pin : facts.getPins())
    files[str(pin.getFile())] +=
        fmt::format("Package: {}\nPin: {}\nPin-Priority: {}\n\n", view(pin.getPackages()),
                    view(pin.getPin()), view(pin.getPriority()));
  for (const auto& [path, text] : files) host.file(path, text);
}

/// What the entries name as their key is there: the machine read its lists with it.
void write_keys(SimHost& host, schema::AuditPackages::Facts::Reader facts) {
  for (const auto source : facts.getSources())
    for (const auto word : words(view(source.getSignedBy())))
      if (word.starts_with('/') && !host.status(Path(word)))
        host.file(Path(word), "(a keyring of the simulation)\n");
}

}  // namespace

void write_sources(SimHost& host, World world) {
  const auto facts = world.getPackages();
  std::map<std::string, Lines> files;
  for (const auto source : facts.getSources()) {
    auto& lines = files[str(source.getFile())];
    if (view(source.getFile()).ends_with(".sources"))
      add_stanza(source, lines);
    else
      add_list_entry(source, lines);
  }
  for (const auto& [path, lines] : files) host.file(path, lines.text());
  for (const auto name : facts.getIgnoredSources())
    host.file(Path("/etc/apt/sources.list.d") / str(name), "");
  write_pins(host, facts);
  write_keys(host, facts);
  if (!facts.getRebootRequired()) return;
  host.file("/run/reboot-required", "*** System restart required ***\n");
  std::string packages;
  for (const auto package : facts.getRebootPackages()) packages += str(package) + "\n";
  if (!packages.empty()) host.file("/run/reboot-required.pkgs", packages);
}

}  // namespace relab::agent::sim
