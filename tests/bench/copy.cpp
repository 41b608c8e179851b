/// The way of a copy's bytes, without ZFS: copy.py runs it beside pv, cat and dd.
///
/// Usage: relab-bench-copy stream FILE BYTES   a synthetic send stream
///        relab-bench-copy write STREAM FILE   as zfs_backup does, with `cat STREAM` for zfs send
///        relab-bench-copy verify FILE         as zfs_backup_verify does
///        relab-bench-copy digest BYTES        the digests alone, of so much memory
///
/// `write` and `digest` print the seconds of CPU that this process took, without the sender's.

#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <sys/resource.h>

#include "agent/host/real_host.h"
#include "agent/kinds/zfs/copying_stream.h"
#include "agent/kinds/zfs/manifest.h"
#include "agent/kinds/zfs/read_back.h"
#include "tests/support/send_stream_builder.h"

namespace relab::agent::zfs {

namespace {

template <typename T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().sentence());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void make_stream(const std::string& path, std::uint64_t bytes) {
  constexpr std::uint64_t record = 128U << 10U;
  std::ofstream file(path, std::ios::binary);
  SendStreamBuilder builder;
  builder.package("datapool@bench", 1024);
  builder.begin({.to_name = "datapool@bench", .features = SendStreamBuilder::raw});
  for (std::uint64_t written = 0; written < bytes; written += record) {
    builder.write(record);
    file << builder.take();
  }
  builder.end().end_package();
  file << builder.bytes();
  if (!file.flush()) throw std::runtime_error("the stream could not be written");
}

void write(const std::string& stream, const std::string& path) {
  RealHost host;
  const auto file = need(host.create_file(path + ".part"));
  CopyingStream copying(host, *file, 0);
  const auto output =
      need(host.stream({.argv = {"cat", stream}, .timeout = std::chrono::hours(1)}, copying));
  if (output.status != 0) throw std::runtime_error("the sender failed");
  need(copying.finish());
  need(file->publish(path));
  Draft<schema::BackupManifest> manifest;
  manifest->setBytes(copying.digests().bytes());
  manifest->setChunkBytes(copying.digests().chunk_bytes());
  auto chunks = manifest->initChunks(static_cast<unsigned>(copying.digests().chunks().size()));
  for (unsigned i = 0; i < chunks.size(); ++i) chunks.set(i, hex(copying.digests().chunks()[i]));
  std::ofstream(path + ".manifest") << manifest_text(std::move(manifest).finish());
}

void verify(const std::string& path) {
  RealHost host;
  const auto text = need(host.read_file(path + ".manifest", manifest_size_max));
  const auto manifest = need(Message<schema::BackupManifest>::from_json(text));
  ReadingBack reading(host, manifest.reader());
  need(host.read_through(path, {}, reading));
  need(reading.finish());
}

void digest(std::uint64_t bytes) {
  const Bytes piece(std::size_t{1} << 20U, 7);
  crypto::ChunkDigests digests;
  while (digests.bytes() < bytes) digests.add(piece);
  digests.finish();
  if (digests.whole() == crypto::Digest{}) throw std::runtime_error("no digest");
}

void print_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::cout << seconds(usage.ru_utime) + seconds(usage.ru_stime) << "\n";
}

int run(const std::vector<std::string>& words) {
  const auto is = [&](std::string_view verb, std::size_t count) {
    return words.size() == count + 1 && words[0] == verb;
  };
  if (is("stream", 2))
    make_stream(words[1], std::stoull(words[2]));
  else if (is("write", 2))
    write(words[1], words[2]);
  else if (is("verify", 1))
    verify(words[1]);
  else if (is("digest", 1))
    digest(std::stoull(words[1]));
  else
    throw std::runtime_error("see the head of tests/bench/copy.cpp");
  if (!is("stream", 2)) print_cpu();
  return 0;
}

}  // namespace

}  // namespace relab::agent::zfs

int main(int argc, char** argv) {
  try {
    relab::crypto::start();
    return relab::agent::zfs::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
