// The true stream under a false manifest, and manifests whose signature is false.

#include "tests/falsify/parts.h"
#include "tests/falsify/scene.h"

namespace relab::falsify {

namespace {

using Json = nlohmann::json;

constexpr auto archive_payload = "application/vnd.relab.archive-manifest.v1+json";
constexpr auto other_snapshots = "it is a copy of other snapshots of the same names";
constexpr auto not_this_one = "its manifest is not the one that was written with it";
constexpr auto no_fit = "the signature does not fit the bytes";

/// Signed by the agent's own key.
Way<FileBench> telling(const std::string& name, const std::string& says,
                       std::function<void(Json& told)> edit) {
  return {.name = name, .says = says, .lie = [edit = std::move(edit)](FileBench& bench) {
            auto told = Json::parse(bench.manifest);
            edit(told);
            bench.tell(told.dump());
          }};
}

Way<FileBench> text(const std::string& name, const std::string& says,
                    std::function<std::string(const std::string& true_one)> edit) {
  return {.name = name, .says = says, .lie = [edit = std::move(edit)](FileBench& bench) {
            bench.tell(edit(bench.manifest));
          }};
}

/// The true manifest with another signature file.
Way<FileBench> signed_by(const std::string& name, const std::string& says,
                         std::function<void(FileBench&)> sign) {
  return {.name = name, .says = says, .lie = std::move(sign)};
}

void edit_signature(FileBench& bench, const std::function<void(Json& envelope)>& edit) {
  auto envelope = Json::parse(must(bench.host.read_file(signature_file)));
  edit(envelope);
  bench.host.file(signature_file, envelope.dump());
}

/// Another of the characters of base64.
void change_signature(Json& envelope) {
  auto sig = envelope["signatures"][0]["sig"].get<std::string>();
  sig[40] = sig[40] == 'A' ? 'B' : 'A';
  envelope["signatures"][0]["sig"] = sig;
}

std::string flipped_digit(std::string digest) {
  digest[0] = digest[0] == '0' ? '1' : '0';
  return digest;
}

std::string with_other_words(const std::string& manifest) {
  auto told = Json::parse(manifest);
  told["restore"] = Json::array({"Nothing needs to be done."});
  return told.dump();
}

}  // namespace

TEST_CASE("falsify: a false manifest that the agent's own key has signed", "[falsify]") {
  try_all<FileBench>({
      text("empty", "its manifest cannot be read", [](const auto&) { return ""; }),
      text("cut off", "its manifest cannot be read",
           [](const auto& it) { return it.substr(0, it.size() / 2); }),
      text("no object", "its manifest cannot be read", [](const auto&) { return "[]"; }),
      text("an object of nothing", "its manifest cannot be read", [](const auto&) { return "{}"; }),
      text("twice", "its manifest cannot be read", [](const auto& it) { return it + it; }),
      telling("of a version that is not known", "the manifest is of version 2",
              [](Json& told) { told["version"] = 2; }),
      telling("of an empty stream", "the manifest is of an empty stream",
              [](Json& told) {
                told.update({{"bytes", "0"}, {"chunks", Json::array()}});
              }),
      telling("a digit of a chunk's digest changed",
              "the manifest's digest is not that of its chunks",
              [](Json& told) {
                told["chunks"][0] = flipped_digit(told["chunks"][0].get<std::string>());
              }),
      telling(
          "a digit of the digest changed", "the manifest's digest is not that of its chunks",
          [](Json& told) { told["digest"] = flipped_digit(told["digest"].get<std::string>()); }),
      telling("one chunk more than there is", "its manifest cannot be read",
              [](Json& told) { told["chunks"].push_back(told["chunks"][0]); }),
      telling("no chunks", "its manifest cannot be read",
              [](Json& told) { told["chunks"] = Json::array(); }),
      telling("chunks of no bytes", "its manifest cannot be read",
              [](Json& told) { told["chunkBytes"] = "0"; }),
      telling("a smaller stream", "bytes, and its manifest says",
              [](Json& told) { told["bytes"] = "1000"; }),
      telling("a larger stream", "bytes, and its manifest says",
              [](Json& told) { told["bytes"] = "1000000"; }),
      {.name = "the digests of something else",
       .says = "are not what was written",
       .lie =
           [](FileBench& bench) {
             bench.pass_off(flipped(bench.stream, 24));
             bench.host.file(stream_file, bench.stream);
           }},
      telling("of another pool", "it is a copy of another pool named 'rpool'",
              [](Json& told) {
                told.update({{"pool", "rpool"}, {"poolGuid", "1"}});
              }),
      telling("of another pool of the same name", "it is a copy of another pool",
              [](Json& told) { told["poolGuid"] = "1"; }),
      telling("of another dataset", "it is a copy of datapool/documents@pre",
              [](Json& told) { told["dataset"] = "datapool/documents"; }),
      telling("of another snapshot", "it is a copy of datapool@daily",
              [](Json& told) { told["snapshot"] = "daily"; }),
      telling("a dataset left out", other_snapshots,
              [](Json& told) { told["snapshots"].erase(2); }),
      telling("another snapshot's GUID", other_snapshots,
              [](Json& told) { told["snapshots"][0]["guid"] = "1"; }),
      telling("a dataset under another name", other_snapshots,
              [](Json& told) { told["snapshots"][0]["dataset"] = "datapool/other"; }),
      telling("no snapshots", other_snapshots,
              [](Json& told) { told["snapshots"] = Json::array(); }),
      telling("written on another disk", "the copy was written on the disk 'OTHER', and this is",
              [](Json& told) { told["diskSerial"] = "OTHER"; }),
      telling("written on no disk", "the copy was written on the disk '', and this is",
              [](Json& told) { told["diskSerial"] = ""; }),
      telling("of another time", not_this_one, [](Json& told) { told["writtenAt"] = "1"; }),
      text("with other words for the one who restores", not_this_one, with_other_words),
      text("written in another way", not_this_one,
           [](const auto& it) { return Json::parse(it).dump(7); }),
  });
}

TEST_CASE("falsify: a manifest whose signature is false", "[falsify]") {
  const auto stranger = controller::fixed_keys(9);
  try_all<FileBench>({
      signed_by("no manifest", "it has no manifest",
                [](FileBench& bench) { bench.host.remove(manifest_file); }),
      signed_by("no signature", "nobody has signed /mnt/usb/copy.manifest",
                [](FileBench& bench) { bench.host.remove(signature_file); }),
      signed_by("an empty signature", "it is no JSON object",
                [](FileBench& bench) { bench.host.file(signature_file, ""); }),
      signed_by("a signature without signatures", "signature",
                [](FileBench& bench) {
                  edit_signature(bench, [](Json& it) { it["signatures"] = Json::array(); });
                }),
      signed_by("two signatures", "signature",
                [](FileBench& bench) {
                  edit_signature(bench,
                                 [](Json& it) { it["signatures"].push_back(it["signatures"][0]); });
                }),
      signed_by("by another key", "its manifest is not signed by the agent that wrote it",
                [&](FileBench& bench) { bench.sign_with(stranger, bench.manifest); }),
      signed_by("by another key, under the agent's name", no_fit,
                [&](FileBench& bench) {
                  bench.sign_with(stranger, bench.manifest);
                  edit_signature(bench, [&](Json& it) {
                    it["signatures"][0]["keyid"] = hex(bench.agent_keys.sign_key());
                  });
                }),
      signed_by("of another text", "it signs another text",
                [](FileBench& bench) { bench.sign_with(bench.agent_keys, "{}"); }),
      signed_by("of the same text as something else", "it signs a '",
                [](FileBench& bench) {
                  bench.sign_with(bench.agent_keys, bench.manifest, archive_payload);
                }),
      signed_by("edited", no_fit,
                [](FileBench& bench) { edit_signature(bench, change_signature); }),
      signed_by("left, and the manifest edited", "it signs another text",
                [](FileBench& bench) {
                  bench.host.file(manifest_file, with_other_words(bench.manifest));
                }),
      signed_by("left, and the manifest edited there and within it", no_fit,
                [](FileBench& bench) {
                  const auto other = with_other_words(bench.manifest);
                  bench.host.file(manifest_file, other);
                  edit_signature(bench, [&](Json& it) { it["payload"] = base64(bytes_of(other)); });
                }),
  });
}

}  // namespace relab::falsify
