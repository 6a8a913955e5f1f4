"""Two tasks for the machine: what their items do is known to `faults_witness` in the test's process."""
