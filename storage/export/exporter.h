// Exporter: one live stream of lookups — reads what the spool gets, writes it to a sink, begins again where
// the receiver was when a connection breaks.
//
//   Exporter exporter(options);  exporter.Start(&error);   …   exporter.Keep(segment);  exporter.Status();
//
// A lookup is delivered at least once: what a connection that broke had not certainly handed over is sent
// again (each payload bears the lookup's number), or it is counted as lost, and the stream says so.
//
// Threads: one of its own; Keep and Status from any. Limits: buffer_bytes on disk, one block of the spool in
// memory. Standards: row S30 of the reliability table.
#ifndef SEKISHO_STORAGE_EXPORT_EXPORTER_H_
#define SEKISHO_STORAGE_EXPORT_EXPORTER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "proto/record/block_reader.h"
#include "storage/export/backlog.h"
#include "storage/export/row_form.h"
#include "storage/export/sink.h"

namespace sekisho::exports {

enum class FormKind : uint8_t { kDnstap, kOcsf };

struct ExporterOptions {
  std::string name;
  std::string spool_dir;
  std::string dir;
  FormKind form = FormKind::kOcsf;
  Identity identity;
  SinkOptions sink;
  uint64_t buffer_bytes = uint64_t{1} << 30;
};

struct ExportStatus {
  std::string name;
  bool connected = false;
  std::string trouble;       // why it is not
  MonoTime trouble_since{};  // of the present trouble
  uint64_t delivered = 0;    // lookups
  uint64_t lost = 0;         // left out because the buffer was full
  uint64_t damages = 0;      // parts of the spool that could not be read
  uint64_t connections = 0;
  uint64_t waiting_bytes = 0;  // on disk
  uint64_t buffer_bytes = 0;
};

class Exporter {
 public:
  explicit Exporter(ExporterOptions options);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Reads the state and begins. False: *error says why not; *error may also warn with true.
  bool Start(std::string* error);
  void Keep(const record::SegmentId& id) { backlog_.Keep(id); }
  ExportStatus Status() const;

  // One bounded piece of work; how long to wait before the next. Start calls it on its thread; tests call it.
  Duration Step(Now now);
  bool Open(std::string* error) { return backlog_.Open(error); }

 private:
  struct Pending {
    uint64_t sent_up_to;  // in the sink's count
    record::SpoolPosition end;
    uint64_t rows;
    uint64_t gap;
  };
  void Work();
  bool Connect(Now now);
  void Disconnect(std::string why, Now now);
  bool SendNext(Now now);
  bool SendBlock(const record::SpoolReader::Block& block, Now now);
  bool WriteRows(record::BlockReader& block);
  void TakeAcknowledged(Now now);
  void MakeRoom(Now now);
  bool DropOldest();
  void Settle(Now now);
  void Publish();
  io::Patience Waiting() const;

  ExporterOptions options_;
  Backlog backlog_;
  std::unique_ptr<RowForm> form_;
  std::unique_ptr<Sink> sink_;
  std::deque<Pending> pending_;
  Duration backoff_{};
  MonoTime retry_at_{};
  MonoTime settled_{};
  std::string disk_trouble_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  ExportStatus status_;
  std::thread thread_;
};

}  // namespace sekisho::exports

#endif  // SEKISHO_STORAGE_EXPORT_EXPORTER_H_
