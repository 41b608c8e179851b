#include "agent/kinds/support/signed_manifest.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/mounts.h"
#include "common/crypto/chunks.h"
#include "common/wire/dsse.h"

namespace relab::agent {

namespace {

Path part_of(const Path& path) { return path.string() + ".part"; }

Result<void> write(Host& host, const Path& path, const std::string& text) {
  RELAB_TRY(const auto file, host.create_file(part_of(path)));
  RELAB_CHECK(file->take(bytes_of(text)));
  return file->publish(path);
}

/// The key that signed exactly this text as such a payload.
Result<std::string> signer_of(std::string_view signature, std::string_view payload_type,
                              const std::string& text) {
  RELAB_TRY(const auto envelope, from_dsse(signature));
  const auto reader = envelope.reader();
  if (view(reader.getPayloadType()) != payload_type)
    return fail(Fault::damaged, fmt::format("it signs a '{}'", view(reader.getPayloadType())));
  if (text_of(view(reader.getPayload())) != text)
    return fail(Fault::damaged, "it signs another text");
  RELAB_CHECK(verify_envelope(reader));
  return hex(view(reader.getKey()));
}

}  // namespace

Result<bool> is_there(Host& host, const Path& path) {
  const auto status = host.status(path);
  if (status) return true;
  if (status.error().fault == Fault::missing) return false;
  return fail(status.error());
}

Result<std::string> no_own_file(Host& host, const Path& path) {
  RELAB_TRY(const auto status, host.status(path));
  if (status.type != FileType::regular) return "it is no file";
  RELAB_TRY(const auto mounts, read_mounts(host));
  const bool covered =
      std::ranges::any_of(mounts, [&](const auto& mount) { return mount.point == path; });
  return covered ? "something else is mounted over it" : "";
}

Result<std::vector<Path>> Beside::unfinished(Host& host) const {
  std::vector<Path> all;
  for (const auto& path : {manifest(), signature(), head()}) {
    RELAB_TRY(const bool there, is_there(host, part_of(path)));
    if (there) all.push_back(part_of(path));
  }
  return all;
}

Result<std::vector<Path>> Beside::found(Host& host) const {
  RELAB_TRY(auto all, unfinished(host));
  for (const auto& path : {manifest(), signature(), head()}) {
    RELAB_TRY(const bool there, is_there(host, path));
    if (there) all.push_back(path);
  }
  return all;
}

Result<void> write_beside(Host& host, const Beside& beside, std::string_view payload_type,
                          const std::string& manifest) {
  RELAB_CHECK(write(host, beside.manifest(), manifest));
  RELAB_TRY(const auto signature, host.sign(payload_type, manifest));
  RELAB_CHECK(write(host, beside.signature(), signature));
  const auto head = host.ledger_head();
  if (!head && head.error().fault == Fault::missing) return {};
  if (!head) return fail(head.error());
  return write(host, beside.head(), *head);
}

Result<SignedManifest> read_beside(Host& host, const Beside& beside, std::string_view payload_type,
                                   std::size_t size_max) {
  SignedManifest found;
  for (const auto& path : {beside.manifest(), beside.signature()}) {
    RELAB_TRY(const bool there, is_there(host, path));
    if (!there) continue;
    RELAB_TRY(const auto why_not, no_own_file(host, path));
    if (!why_not.empty())
      return fail(Fault::damaged, fmt::format("{}: {}", path.string(), why_not));
  }
  RELAB_TRY(found.text, host.read_file(beside.manifest(), size_max));
  found.digest = hex(crypto::Blake2b::of(bytes_of(found.text)));
  // A signature has the manifest itself, in base64.
  const auto signature = host.read_file(beside.signature(), 2 * size_max);
  if (!signature && signature.error().fault == Fault::missing)
    return fail(Fault::damaged, fmt::format("nobody has signed {}", beside.manifest().string()));
  if (!signature) return fail(signature.error());
  RELAB_TRY(found.signed_by, signer_of(*signature, payload_type, found.text)
                                 .during(fmt::format("reading {}", beside.signature().string())));
  RELAB_TRY(found.has_head, is_there(host, beside.head()));
  return found;
}

}  // namespace relab::agent
