{{/* Everything that the schema cannot say, told at once. */}}
{{- define "maintenance.validate" -}}
{{- $v := .Values }}
{{- $errors := list }}
{{- $redisUrl := and $v.redis.existingSecret $v.redis.existingSecretKeys.url }}
{{- if not (or $v.worker.enabled $v.webHost.enabled (include "maintenance.hasCronJobs" .)) }}
{{- $errors = append $errors "worker.enabled, webHost.enabled and every worker.cronJobs.<job>.enabled are false: there is nothing to install" }}
{{- end }}
{{- if not (or $v.redis.host $redisUrl $v.trialRedis.enabled) }}
{{- $errors = append $errors "redis.host is empty: name your Redis, or give redis.existingSecret and redis.existingSecretKeys.url, or try it with trialRedis.enabled=true" }}
{{- end }}
{{- if and $v.redis.existingSecretKeys.url (not $v.redis.existingSecret) }}
{{- $errors = append $errors "redis.existingSecretKeys.url needs redis.existingSecret" }}
{{- end }}
{{- if and $v.trialRedis.enabled (or $v.redis.host $redisUrl) }}
{{- $errors = append $errors "trialRedis.enabled and redis.host (or a URL) exclude each other: keep one" }}
{{- end }}
{{- $users := or $v.redis.user $v.worker.redis.user $v.webHost.redis.user }}
{{- if and $v.trialRedis.enabled (or $v.redis.tls.enabled $v.redis.cluster $users) }}
{{- $errors = append $errors "trialRedis has neither TLS nor ACL users nor a cluster: unset redis.tls.enabled, redis.cluster, redis.user, worker.redis.user and webHost.redis.user" }}
{{- end }}
{{- range $component := list "worker" "webHost" }}
{{- $own := (get $v $component).redis }}
{{- if and (or $own.user $own.passwordKey) $redisUrl }}
{{- $errors = append $errors (printf "%s.redis and redis.existingSecretKeys.url exclude each other: the URL holds user and password" $component) }}
{{- end }}
{{- if and $own.passwordKey (not $v.redis.existingSecret) }}
{{- $errors = append $errors (printf "%s.redis.passwordKey needs redis.existingSecret" $component) }}
{{- end }}
{{- end }}
{{- if and $v.redis.clusterNodes (or (not $v.redis.cluster) $v.redis.existingSecretKeys.url) }}
{{- $errors = append $errors "redis.clusterNodes needs redis.cluster=true and redis.host; a URL in the Secret names the one node to start from" }}
{{- end }}
{{- if and $v.redis.cluster (ne (int $v.redis.database) 0) }}
{{- $errors = append $errors "redis.database must be 0 on a cluster" }}
{{- end }}
{{- if and $v.redis.tls.privateKeyKey (not $v.redis.tls.certKey) }}
{{- $errors = append $errors "redis.tls.privateKeyKey needs redis.tls.certKey" }}
{{- end }}
{{- if and (or $v.redis.tls.certKey $v.redis.tls.privateKeyKey) (not $v.redis.tls.existingSecret) }}
{{- $errors = append $errors "redis.tls.certKey needs redis.tls.existingSecret" }}
{{- end }}
{{- if and $v.webHost.enabled (not (include "maintenance.hasPostgres" .)) }}
{{- $errors = append $errors "the web host needs PostgreSQL: set postgresql.host and postgresql.existingSecret (with the password, or with a connection string and its key in postgresql.existingSecretKeys.connectionString), or webHost.enabled=false" }}
{{- end }}
{{- if and $v.webHost.enabled (not $v.webHost.mail.host) (not (dig "Mail" "Folder" "" $v.webHost.settings)) }}
{{- $errors = append $errors "webHost.mail.host is empty: no mail could leave. Name your SMTP server, or set webHost.settings.Mail.Folder (/data/mail) to have messages written there" }}
{{- end }}
{{- if and $v.webHost.enabled $v.webHost.mail.host }}
{{- if not $v.webHost.mail.from }}
{{- $errors = append $errors "webHost.mail.from is empty: name the sender that people shall see" }}
{{- end }}
{{- if not (regexMatch "^(https://|http://(localhost|127\\.0\\.0\\.1)([:/]|$))" $v.webHost.mail.publicUrl) }}
{{- $errors = append $errors "webHost.mail.publicUrl is empty or not https: name where people reach the pages that links in mail lead to, for example https://auth.example.org" }}
{{- end }}
{{- end }}
{{- if and $v.webHost.mail.existingSecret (not $v.webHost.mail.user) }}
{{- $errors = append $errors "webHost.mail.existingSecret needs webHost.mail.user" }}
{{- end }}
{{- if and $v.postgresql.archive (not (include "maintenance.hasPostgres" .)) }}
{{- $errors = append $errors "postgresql.archive needs postgresql.host and postgresql.existingSecret" }}
{{- end }}
{{- if and (hasPrefix "Verify" $v.postgresql.sslMode) (not $v.postgresql.tls.existingSecret) (not $v.postgresql.existingSecretKeys.connectionString) (include "maintenance.hasPostgres" .) }}
{{- $errors = append $errors (printf "postgresql.sslMode=%s needs the authorities in postgresql.tls.existingSecret" $v.postgresql.sslMode) }}
{{- end }}
{{- if and $v.monitoring.serviceMonitor.enabled $v.monitoring.podMonitor.enabled }}
{{- $errors = append $errors "monitoring.serviceMonitor.enabled and monitoring.podMonitor.enabled would scrape everything twice: keep one" }}
{{- end }}
{{- if and $v.worker.token.requiredEverywhere (not $v.worker.token.existingSecret) }}
{{- $errors = append $errors "worker.token.requiredEverywhere needs worker.token.existingSecret" }}
{{- end }}
{{- $deadlines := list (dig "Storage" "Redis" "Deadline" "00:00:02" $v.worker.settings) }}
{{- range $v.worker.extraEnv }}
{{- if and (hasKey . "value") (eq (lower .name) "storage__redis__deadline") }}
{{- $deadlines = append $deadlines .value }}
{{- end }}
{{- end }}
{{- range $deadlines }}
{{- if not (regexMatch "^(0+[.])?0?0:0?0:0?[0-7]([.][0-9]+)?$" (toString .)) }}
{{- $errors = append $errors (printf "worker: Storage.Redis.Deadline is %v; it must be below the 8 s in which a worker that is ended finishes its batch" .) }}
{{- end }}
{{- end }}
{{- if lt (int $v.webHost.terminationGracePeriodSeconds) (add (int $v.webHost.drainSeconds) 10 | int) }}
{{- $errors = append $errors "webHost.terminationGracePeriodSeconds must be at least 10 above webHost.drainSeconds" }}
{{- end }}
{{- if gt (int $v.webHost.autoscaling.minReplicas) (int $v.webHost.autoscaling.maxReplicas) }}
{{- $errors = append $errors "webHost.autoscaling.minReplicas is above maxReplicas" }}
{{- end }}
{{- if and $v.webHost.ingress.enabled (not $v.webHost.ingress.hosts) }}
{{- $errors = append $errors "webHost.ingress.hosts is empty" }}
{{- end }}
{{- if and $v.worker.ingress.enabled (not $v.worker.ingress.hosts) }}
{{- $errors = append $errors "worker.ingress.hosts is empty" }}
{{- end }}
{{- if and $v.worker.ingress.enabled (not $v.worker.token.requiredEverywhere) }}
{{- $errors = append $errors "worker.ingress would show the status page to everybody: set worker.token.existingSecret and worker.token.requiredEverywhere" }}
{{- end }}
{{- if and $v.webHost.httpRoute.enabled (not $v.webHost.httpRoute.parentRefs) }}
{{- $errors = append $errors "webHost.httpRoute.parentRefs is empty" }}
{{- end }}
{{- range $component := list "worker" "webHost" }}
{{- range (get $v $component).extraEnv }}
{{- if and (hasKey . "value") (regexMatch "(?i)(password|passwd|secret|token|redis_url|redis__url|connectionstring)" .name) }}
{{- $errors = append $errors (printf "%s.extraEnv: %s looks like a secret; put it into a Secret and use valueFrom" $component .name) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $component := list "worker" "webHost" }}
{{- $own := get $v $component }}
{{- $volumes := list "settings" "tmp" }}
{{- if $v.redis.tls.existingSecret }}
{{- $volumes = append $volumes "redis-tls" }}
{{- end }}
{{- if and $v.postgresql.tls.existingSecret (or (eq $component "webHost") $v.postgresql.archive) }}
{{- $volumes = append $volumes "postgresql-tls" }}
{{- end }}
{{- if $own.data }}
{{- $volumes = append $volumes "data" }}
{{- end }}
{{- $further := list }}
{{- range $own.extraVolumes }}
{{- if has .name $volumes }}
{{- $errors = append $errors (printf "%s.extraVolumes: %s is a volume of the chart; give yours another name" $component .name) }}
{{- end }}
{{- $further = append $further .name }}
{{- end }}
{{- range $own.extraVolumeMounts }}
{{- if not (has .name (concat $volumes $further)) }}
{{- $errors = append $errors (printf "%s.extraVolumeMounts: %v is no volume; add it to %s.extraVolumes" $component .name $component) }}
{{- end }}
{{- end }}
{{- range $label, $value := $own.podLabels }}
{{- if has $label (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component") }}
{{- $errors = append $errors (printf "%s.podLabels: %s is a label by which the chart selects its pods" $component $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- with $errors }}
{{- fail (printf "\n\nThe values are not complete or contradict each other:\n- %s\n" (join "\n- " .)) }}
{{- end }}
{{- end -}}

{{- define "maintenance.hasCronJobs" -}}
{{- range $job, $cron := .Values.worker.cronJobs }}{{ if $cron.enabled }}true{{ end }}{{ end -}}
{{- end -}}
