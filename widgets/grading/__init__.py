"""Parts of the grader: the cells that it runs, the process that runs them, and the messages of this process."""
