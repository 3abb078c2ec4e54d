{{/* An Ingress to a component's Service. */}}
{{- define "maintenance.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "maintenance.metadata" . | nindent 2 }}
spec:
  {{- with .values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with .values.ingress.tls }}
  tls:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range .values.ingress.hosts }}
    - host: {{ .host | quote }}
      http:
        paths:
          {{- range default (list (dict "path" "/" "pathType" "Prefix")) .paths }}
          - path: {{ .path }}
            pathType: {{ default "Prefix" .pathType }}
            backend:
              service:
                name: {{ $.name }}
                port:
                  name: {{ $.port }}
          {{- end }}
    {{- end }}
{{- end -}}

{{/* "true" if an entry of the Ingress' TLS holds the host: by name, by a wildcard, or because it names none. Takes host and tls. */}}
{{- define "maintenance.ingressHasTls" -}}
{{- $wildcard := printf "*.%s" (splitList "." .host | rest | join ".") }}
{{- $has := false }}
{{- range .tls }}
{{- if or (not .hosts) (has $.host .hosts) (has $wildcard .hosts) }}
{{- $has = true }}
{{- end }}
{{- end }}
{{- $has }}
{{- end -}}
