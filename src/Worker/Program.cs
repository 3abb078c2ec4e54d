return await Maintenance.Worker.Cli.WorkerCommandLine.RunAsync(args);
