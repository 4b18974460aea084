// One helper process of the python reader: started, asked, ended. The protocol is described in python.hpp.
//
// Not shared: one thread at a time. Every way the process can fail (it cannot be started, it says an error,
// it dies, it answers with the wrong size) is a base::Error; after one that is not an answer of the helper's
// the worker must not be used again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/python.hpp"

namespace lbann::data {

/// The program of the helper; takes module, folder, the three functions and a pickle as arguments.
extern const char* const python_helper_script;

class PythonWorker {
public:
  /// Starts the process and waits for what the module says of its samples.
  explicit PythonWorker(const PythonOptions& options);
  ~PythonWorker();
  PythonWorker(const PythonWorker&) = delete;
  PythonWorker& operator=(const PythonWorker&) = delete;

  std::int64_t num_samples() const { return num_samples_; }
  const std::vector<FieldSpec>& fields() const { return fields_; }
  /// out[indices.size(), row_elements]: the fields of a sample one after the other.
  void read(std::span<const std::int64_t> indices, std::int64_t row_elements, float* out);
  /// The same for field number `field`, kept for the other fields: what follows for the same samples asks
  /// nobody, until a field is wanted twice.
  const float* read_kept(std::span<const std::int64_t> indices, std::int64_t row_elements, std::size_t field);

private:
  void start(const PythonOptions& options);
  void receive_info();
  void send(const void* data, std::size_t n);
  void receive(void* data, std::size_t n);
  std::int64_t receive_number();
  char receive_kind();
  [[noreturn]] void fail_dead();
  [[noreturn]] void fail_said(const std::string& doing);
  void close_and_wait();

  std::string who_;  // "module 'x'" or "data set 'x.pkl'"
  pid_t pid_ = -1;
  int fd_ = -1;
  std::int64_t num_samples_ = 0;
  std::vector<FieldSpec> fields_;
  std::vector<std::int64_t> kept_indices_;
  std::vector<float> kept_;
  unsigned served_ = 0;  // bit f: field f of kept_ was handed out
};

}  // namespace lbann::data
