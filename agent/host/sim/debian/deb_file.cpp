#include "agent/host/sim/debian/deb_file.h"

#include <archive.h>
#include <archive_entry.h>

#include "common/base/handle.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

using Archive = CHandle<::archive, archive_read_free>;

/// The member whose name begins like this; empty without one.
std::string member_of(::archive* archive, std::string_view bytes, std::string_view name) {
  if (archive_read_open_memory(archive, bytes.data(), bytes.size()) != ARCHIVE_OK) return {};
  archive_entry* entry = nullptr;
  while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
    std::string_view path = archive_entry_pathname(entry);
    if (path.starts_with("./")) path.remove_prefix(2);
    if (!path.starts_with(name)) continue;
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    const auto read = archive_read_data(archive, content.data(), content.size());
    return read == static_cast<la_ssize_t>(content.size()) ? content : std::string();
  }
  return {};
}

}  // namespace

Result<std::string> control_of(std::string_view deb) {
  if (deb.starts_with("Package:")) return std::string(deb);
  const Archive outer(archive_read_new());
  archive_read_support_format_ar(outer.get());
  const auto control = member_of(outer.get(), deb, "control.tar");
  const Archive inner(archive_read_new());
  archive_read_support_format_tar(inner.get());
  archive_read_support_filter_all(inner.get());
  auto text = member_of(inner.get(), control, "control");
  if (text.empty()) return fail(Fault::damaged, "it is no package");
  return text;
}

std::string field_of(std::string_view control, std::string_view name) {
  std::string value;
  bool open = false;
  for (const auto line : lines(control)) {
    if (open && !line.starts_with(' ')) break;
    if (open) value += " " + std::string(trim(line));
    if (!open && line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      value = trim(line.substr(name.size() + 1));
      open = true;
    }
  }
  return value;
}

}  // namespace relab::agent::sim
